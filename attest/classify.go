package attest

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/parsers/imalog"
)

// result is what one entry turned out to be.
type result struct {
	class     Class
	reason    string
	algorithm compact.Algorithm
	digest    []byte  // nil if the entry has none
	found     uint32  // see entry
	list      *List   // for digest lists that are the operator's
	known     *record // the reference that has the digest
	signedBy  string
	near      *Near
}

// classify says what an entry is. It must be called for each one in order.
func (v *verifier) classify(e *entry) result {
	m := &e.Measurement
	if e.violation {
		return result{class: Violation, reason: "it was open for writing while it was measured, or measured while it was open for writing; no PCR covers its name"}
	}
	if !e.recomputes {
		if !e.known {
			return result{class: NotUnderstood, reason: fmt.Sprintf("template %s cannot be hashed from text; a binary list can", quoteText(m.Template))}
		}
		return result{class: WrongTemplate, reason: fmt.Sprintf("template digest %x is not that of the entry, which may have been changed, or shown with other characters in its name", m.TemplateDigest)}
	}
	if !startsWithDigest(m) {
		return result{class: NotUnderstood, reason: fmt.Sprintf("template %s does not begin with a digest and a name", quoteText(m.Template))}
	}
	algorithm, digest, err := e.algorithm, e.digest, e.noDigest
	if errors.Is(err, imalog.ErrNoFileDigest) {
		return v.allowed(m.Name(), result{class: Unknown, reason: err.Error()})
	}
	if err != nil {
		return result{class: NotUnderstood, reason: err.Error()}
	}
	r := result{algorithm: algorithm, digest: digest, found: e.found}
	if bytes.Equal(name(m), []byte(BootAggregateName)) {
		if boot, ok := v.bootAggregate(m, r); ok {
			return boot
		}
	}
	if list, ok := v.digestList(m, r); ok {
		return list
	}
	if v.options.Exclude != nil && v.options.Exclude.Match(m.Name(), algorithm, digest) {
		r.class = Excluded
		return r
	}
	return v.file(m, r)
}

// startsWithDigest holds that the fields are where the PCR binds them. The template's name
// is not hashed: with another order of fields, what a signature or buffer holds could
// pass for the digest of a file.
func startsWithDigest(m *imalog.Measurement) bool {
	if len(m.Fields) < 2 {
		return false
	}
	switch m.Fields[0].ID {
	case "d":
		return m.Fields[1].ID == "n"
	case "d-ng", "d-ngv2":
		return m.Fields[1].ID == "n-ng"
	}
	return false
}

// name is that of Measurement.Name without the conversion.
func name(m *imalog.Measurement) []byte {
	data := m.Fields[1].Data
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return data[:i]
	}
	return data
}

// bootAggregate takes an entry for what its name says if its digest is that of the PCRs, or
// if it is the first one of its PCR: a file may be called so, too.
func (v *verifier) bootAggregate(m *imalog.Measurement, r result) (result, bool) {
	over, known, err := BootAggregate(r.algorithm, r.digest, v.values)
	first := !v.seen[m.PCR%NumPCRs]
	if first && v.first.digest == nil {
		v.first = aggregate{r.algorithm, bytes.Clone(r.digest)}
	}
	switch {
	case over != "":
		v.boot = "pcrs " + over
	case !first:
		return r, false
	case known:
		v.boot = "mismatch"
		r.class = BootMismatch
		r.reason = "the digest is not that of the quoted PCRs 0-7 or 0-9: the values are of another boot, or another machine"
		if allZero(r.digest) {
			r.reason = "the kernel found no TPM when it booted, yet there are PCR values"
		}
		return r, true
	default:
		v.boot = "not checked"
		if err != nil {
			v.note("boot_aggregate is not checked: " + err.Error())
		}
	}
	if first && m.PCR != DefaultPCR && v.options.ListPCR == 0 {
		v.bootPCR = int(m.PCR)
	}
	r.class = Boot
	return r, true
}

// listName is in the name of every digest list.
var listName = []byte("_list-")

// digestList recognises digest lists, by content and by name.
func (v *verifier) digestList(m *imalog.Measurement, r result) (result, bool) {
	named := bytes.Contains(name(m), listName)
	if !named && v.refs.noLists() {
		return r, false
	}
	r.list = v.refs.listOf(r.algorithm, r.digest)
	base := ""
	if named {
		base = path.Base(m.Name())
		_, named = listdir.ParseName(base)
	}
	switch {
	case r.list != nil:
		v.loaded[r.list] = true
		v.sawList(m)
		return v.listSignature(m, r), true
	case !named:
		return r, false
	}
	v.sawList(m)
	r.class, r.reason = ListUnknown, "none of the references is this digest list"
	if same := v.refs.byName[base]; same != nil {
		r.class = ListChanged
		r.reason = fmt.Sprintf("%s has this name and other content", same.Origin)
	}
	return r, true
}

// sawList notes for which PCR the kernel measures only what no list has: the one other
// than the usual that begins with a boot_aggregate and has digest lists.
func (v *verifier) sawList(m *imalog.Measurement) {
	if v.bootPCR == int(m.PCR) && v.bootPCR != 0 {
		v.listPCR = v.bootPCR
	}
}

// listSignature requires a good signature where there are keys: of the operator's list, or
// in the entry.
func (v *verifier) listSignature(m *imalog.Measurement, r result) result {
	r.class = KnownList
	if v.options.Keys == nil {
		return r
	}
	signer, err := v.options.Keys.verify(signed{m, r.algorithm, r.digest}, v.options.Now)
	switch {
	case err == nil:
		r.signedBy = signer
	case errors.Is(err, imasig.ErrBadSignature):
		r.class, r.reason = ListUnsigned, "bad signature in the entry"
	case r.list.SignedBy != "":
		r.signedBy = r.list.SignedBy
	case r.list.Unsigned != nil:
		r.class = ListUnsigned
		r.reason = fmt.Sprintf("the reference has %s, the entry %s", unsignedReason(r.list.Unsigned), unsignedReason(err))
	default: // made from a package
		r.class, r.reason = ListUnsigned, unsignedReason(err)
	}
	return r
}

// file looks a file up in the references.
func (v *verifier) file(m *imalog.Measurement, r result) result {
	if v.options.Keys != nil {
		signer, err := v.options.Keys.verify(signed{m, r.algorithm, r.digest}, v.options.Now)
		if isBad(err) {
			r.class, r.reason = BadSignature, "in the entry: "+unsignedReason(err)
			return v.allowed(m.Name(), r)
		}
		r.signedBy = signer
	}
	known := v.lookup(r)
	r.known = known
	switch {
	case v.listPCR != 0 && int(m.PCR) == v.listPCR:
		return v.kernelDidNotKnow(m, r, known)
	case known != nil:
		r.class = Known
		return r
	case r.signedBy != "":
		r.class = Signed
		return r
	}
	r.class, r.reason = Unknown, "no reference has this digest"
	r.near = v.nearest(m.Name(), r)
	return v.allowed(m.Name(), r)
}

// lookup prefers a match of a list that has been loaded.
func (v *verifier) lookup(r result) (best *record) {
	x := v.refs.index
	for at := r.found; at != none; at = x.next(at, r.algorithm, r.digest) {
		rec := x.records.at(at)
		if rec.typ == compact.TypeMetadata {
			continue
		}
		if best == nil {
			best = rec
		}
		if v.listPCR == 0 {
			break // any will do
		}
		if v.loaded[v.refs.lists[rec.list]] {
			return rec
		}
	}
	return best
}

// kernelDidNotKnow is for files in the PCR of digest lists: that they are there means
// that no list the kernel had loaded by then has their digest as that of a file.
func (v *verifier) kernelDidNotKnow(m *imalog.Measurement, r result, known *record) result {
	var list *List
	if known != nil {
		list = v.refs.lists[known.list]
	}
	if v.loaded[list] && known.typ == compact.TypeParser {
		r.class = Known // only files are left out of the PCR
		return r
	}
	r.class = Unknown
	switch {
	case v.loaded[list]:
		r.reason = fmt.Sprintf("the kernel did not know it, although %s has it, which was loaded before", list.Name)
	case list != nil:
		r.reason = fmt.Sprintf("the kernel did not know it: %s has it, and was not loaded before", list.Name)
	default:
		r.reason = "the kernel did not know it, and no reference has this digest"
		r.near = v.nearest(m.Name(), r)
		if r.near != nil && r.near.Algorithm != r.algorithm.String() {
			r.reason = fmt.Sprintf("the kernel did not know it: %s has its path with a digest of another algorithm", r.near.List)
		}
	}
	return v.allowed(m.Name(), r)
}

// nearest finds another digest for the same path, of the same algorithm if there is one.
func (v *verifier) nearest(path string, r result) *Near {
	var near *Near
	for match := range v.refs.At(path) {
		if near == nil || match.Algorithm == r.algorithm {
			near = &Near{List: match.List.Name, Algorithm: match.Algorithm.String(), Digest: bytes.Clone(match.Digest)}
		}
		if match.Algorithm == r.algorithm {
			break
		}
	}
	return near
}

// allowed is for what the policy may let pass. Violations are not: no PCR covers their names.
func (v *verifier) allowed(path string, r result) result {
	if v.options.Allow.Match(path, r.algorithm, r.digest) {
		r.class = Allowed
		r.reason = strings.TrimSpace("allowed: " + r.reason)
	}
	return r
}
