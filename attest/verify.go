package attest

import (
	"bytes"
	"fmt"
	"iter"
	"time"

	"digestlists/parsers/audit"
	"digestlists/parsers/imalog"
)

// Evidence is what a machine has sent.
type Evidence struct {
	Measurements iter.Seq2[*imalog.Measurement, error] // nil for none, where there is Audit
	PCRs         *PCRs                                 // values without a quote, nil for none
	Quote        *Quote                                // nil for none; its values are then the only ones that count
	EventLog     *EventLog                             // of the firmware, nil for none
	Audit        iter.Seq2[*audit.Record, error]       // what the machine's audit log says; nil for none
}

// Options say what the evidence is compared with, and what is taken.
type Options struct {
	References *References
	Keys       *Keys     // that must have signed digest lists, and may have signed files; nil: no signature is looked at
	Now        time.Time // for the validity of keys; zero means now

	// Allow takes unknown files and buffers, which are then reported and no reason for distrust;
	// Exclude leaves files out altogether. Neither applies to digest lists and violations.
	Allow, Exclude *Patterns

	// Required PCRs must match even if no entry names them: whoever makes up a list could
	// have left all of theirs out.
	Required []int
	// ListPCR is the PCR for which the kernel measures only what no digest list has
	// (ima_digest_list_pcr=). 0 finds it out; -1 says that there is none.
	ListPCR int

	// All reports every entry, not just those that need attention.
	All bool

	// From continues an earlier verification, whose references, patterns and keys were the same;
	// nil begins with the first entry. Evidence.Measurements is the whole list, or with Rest only
	// what follows the entries of the state.
	From *State
	Rest bool
	// KeepState makes Report.State.
	KeepState bool

	AllowSHA1        bool // take what SHA-1 alone attests
	IgnoreViolations bool // violations are reported, and no reason for distrust
}

// Verify compares evidence with references. An error means that the measurement list or an
// audit record cannot be read, or that Options.From does not fit, which is ErrState; all else is in the report.
//
// Memory does not grow with the list, but for what the report says about entries that are
// not known or, with Options.All, about all of them. Of those that are not known a machine can
// make up any number, in a compressed file of a few MiB: more than fit into 128 MiB, which
// are more than 100,000, are ErrTooLarge unless all are wanted. Measurements are read by a
// goroutine of their own, which has ended when Verify returns.
func Verify(e Evidence, o Options) (*Report, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	v := newVerifier(e, o)
	if e.Audit != nil {
		if err := v.audit(e.Audit); err != nil {
			return nil, err
		}
	}
	if e.Measurements == nil {
		return v.finish(e), nil
	}
	if o.From != nil {
		if err := v.resume(o.From.saved, e.Quote); err != nil {
			return nil, err
		}
		if !o.Rest {
			e.Measurements = after(o.From.saved, e.Measurements)
		}
	}
	for entry, err := range preparedAhead(e.Measurements, v.preparer()) {
		if err != nil {
			return nil, err
		}
		v.add(entry)
		if err := v.fits(); err != nil {
			return nil, err
		}
	}
	return v.finish(e), nil
}

// verifier goes through a list once.
type verifier struct {
	options Options
	refs    *References
	values  *PCRs
	replay  *Replay
	report  *Report

	counts, matched tally // of covered entries: all, and those up to the last match
	uncovered       tally

	seen    [NumPCRs]bool
	covered [NumPCRs]bool
	boot    string
	first   aggregate
	bootPCR int // begins with a boot_aggregate
	listPCR int // see Options.ListPCR; 0: none so far
	loaded  map[*List]bool

	previous     previous
	reported     int    // what the report takes, see fits
	firstWrong   string // the first template digest that does not recompute
	notesWritten map[string]bool

	fit  fit  // of all entries; it and mark only with Options.KeepState
	mark mark // of those that are attested
}

// tally counts entries by class.
type tally map[Class]int

// previous is the entry before, which the one for the PCR of digest lists repeats.
type previous struct {
	pcr      uint32
	digest   []byte
	class    Class
	finding  bool
	list     bool
	attested bool // the list matched after it
}

func newVerifier(e Evidence, o Options) *verifier {
	v := &verifier{
		options: o, refs: o.References, values: e.PCRs, report: newReport(),
		counts: tally{}, matched: tally{}, uncovered: tally{}, loaded: map[*List]bool{}, notesWritten: map[string]bool{},
		boot: "missing",
	}
	if e.Quote != nil {
		v.values = e.Quote.PCRs
	}
	if v.values == nil {
		v.values = new(PCRs)
	}
	if v.refs == nil {
		v.refs = NewReferences(nil, o.Now)
	}
	if o.ListPCR > 0 {
		v.listPCR = o.ListPCR
	}
	v.replay = NewReplay(v.values, o.Required...)
	return v
}

// preparer returns what is done to an entry without regard to those before it.
func (v *verifier) preparer() func(*entry) {
	h := v.replay.newHasher()
	return func(e *entry) {
		h.hash(e)
		e.found = none
		if !e.recomputes {
			return
		}
		e.algorithm, e.digest, e.noDigest = e.FileDigest()
		if e.noDigest == nil && !allZero(e.digest) {
			e.found = v.refs.index.first(e.algorithm, e.digest)
		}
	}
}

func (v *verifier) note(text string) {
	if !v.notesWritten[text] {
		v.notesWritten[text] = true
		v.report.Notes = append(v.report.Notes, text)
	}
}

// add takes the next entry.
func (v *verifier) add(e *entry) {
	m := &e.Measurement
	matched := v.replay.extend(e)
	twin := v.isTwin(m)
	r := v.classify(e)
	if v.options.IgnoreViolations && r.class == Violation {
		r.class = Allowed
	}
	if r.class == WrongTemplate && v.firstWrong == "" {
		v.firstWrong = fmt.Sprintf("entry %d (%s) is the first whose template digest is not that of its data", v.replay.Entries(), quoteText(m.Name()))
	}
	if twin {
		v.mergeTwin(m, r)
	} else {
		v.keep(m, r)
	}
	v.seen[m.PCR%NumPCRs] = true
	v.covered[m.PCR%NumPCRs] = v.replay.Covers(m.PCR)
	v.previous.attested = matched
	if matched {
		copyTally(v.matched, v.counts)
	}
	if v.options.KeepState {
		v.fit.add(m.PCR, m.TemplateDigest)
		if matched {
			v.setMark()
		}
	}
}

// keep counts an entry and notes what is to be said about it.
func (v *verifier) keep(m *imalog.Measurement, r result) {
	v.tally(m.PCR)[r.class]++
	p := &v.previous
	p.pcr, p.digest, p.class = m.PCR, append(p.digest[:0], m.TemplateDigest...), r.class
	p.list, p.finding = v.isList(r), v.isFinding(r)
	if p.list {
		v.report.Lists = append(v.report.Lists, v.listReport(m, r))
	}
	if p.finding {
		v.report.Findings = append(v.report.Findings, v.finding(m, r, v.replay.Entries()))
	}
}

func (v *verifier) tally(pcr uint32) tally {
	if v.replay.Covers(pcr) {
		return v.counts
	}
	return v.uncovered
}

func (v *verifier) isList(r result) bool {
	switch r.class {
	case KnownList, ListUnknown, ListChanged, ListUnsigned:
		return true
	}
	return false
}

func (v *verifier) isFinding(r result) bool {
	return v.options.All || !r.class.good() || r.class == Allowed
}

func (v *verifier) finding(m *imalog.Measurement, r result, entry int) Finding {
	f := Finding{Entry: entry, PCRs: []int{int(m.PCR)}, Class: r.class, Path: m.Name(), Reason: r.reason, Near: r.near, SignedBy: r.signedBy}
	f.Known = v.knownFrom(r)
	if r.digest != nil {
		f.Algorithm, f.Digest = r.algorithm.String(), bytes.Clone(r.digest)
	}
	v.reported += findingSize + len(f.Path)
	return f
}

// What a report may take, in bytes, and what one thing in it does, besides its name.
const (
	maxReported = 128 << 20
	findingSize = 1 << 10
)

// fits is an error if more is to be reported than anybody has asked for.
func (v *verifier) fits() error {
	if v.reported <= maxReported || v.options.All {
		return nil
	}
	return fmt.Errorf("%w: a report of what is not known, of %d entries so far: are these the right references?", ErrTooLarge, v.replay.Entries())
}

func (v *verifier) listReport(m *imalog.Measurement, r result) ListReport {
	l := ListReport{Entry: v.replay.Entries(), Path: m.Name(), Class: r.class, SignedBy: r.signedBy, pcr: int(m.PCR)}
	l.Algorithm, l.Digest = r.algorithm.String(), bytes.Clone(r.digest)
	v.reported += findingSize + len(l.Path)
	if r.list != nil {
		l.Reference = r.list.Name
	}
	return l
}

func (v *verifier) knownFrom(r result) *Origin {
	switch {
	case r.list != nil:
		return &Origin{List: r.list.Name, Package: r.list.Package}
	case r.known != nil:
		return v.refs.origin(r.known)
	}
	return nil
}
