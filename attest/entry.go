package attest

import (
	"bytes"
	"crypto/sha1"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/parsers/imalog"
)

// An entry is a measurement with what can be computed from it alone.
type entry struct {
	imalog.Measurement
	violation bool
	extended  [sha1.Size]byte // what the SHA-1 bank was extended with
	banks     []byte          // the digest of the template data in each bank, MaxDigestSize bytes apart

	recomputes, known bool // see Recomputes

	// Of entries that recompute, for classify: see Measurement.FileDigest, and the first
	// record of the references that has the digest, or none.
	algorithm compact.Algorithm
	digest    []byte
	noDigest  error
	found     uint32
}

// bank returns the digest of the template data, in the full room of the largest one.
func (e *entry) bank(i int) []byte {
	return e.banks[i*compact.MaxDigestSize:][:compact.MaxDigestSize]
}

// A hasher computes what banks are extended with. It can work ahead of the replay, which
// has to take one entry after the other.
type hasher struct {
	banks []*bankHash
}

func (r *Replay) newHasher() *hasher {
	h := new(hasher)
	for _, b := range r.banks {
		if own, err := newBankHash(b.bank); err == nil { // it was not when r got it
			h.banks = append(h.banks, own)
		}
	}
	return h
}

// hash fills in an entry whose Measurement is set. It reuses the entry's memory.
func (h *hasher) hash(e *entry) {
	if size := len(h.banks) * compact.MaxDigestSize; len(e.banks) != size {
		e.banks = make([]byte, size)
	}
	e.violation = e.Violation()
	e.recomputes, e.known, e.extended = false, false, [sha1.Size]byte{}
	if e.violation {
		return
	}
	if len(e.TemplateDigest) == sha1.Size {
		copy(e.extended[:], e.TemplateDigest)
	}
	if e.Data == nil {
		return
	}
	own := sha1.Sum(e.Data)
	if len(e.TemplateDigest) == sha1.Size {
		e.recomputes, e.known = own == e.extended, true
	} else {
		e.extended = own
		e.recomputes, e.known = recomputesBank(&e.Measurement), true
	}
	for i, b := range h.banks {
		if b.bank != compact.SHA1 {
			b.sum((*[compact.MaxDigestSize]byte)(e.bank(i)), e.Data)
		}
	}
}

// Recomputes reports whether the template digest that the list has for an entry is that
// of its data. known is false where there are none to hash: in violations, and in
// templates that cannot be rebuilt from text.
func Recomputes(m *imalog.Measurement) (ok, known bool) {
	e := entry{Measurement: *m}
	new(hasher).hash(&e)
	return e.recomputes, e.known
}

// recomputesBank is for lists of banks other than SHA-1.
func recomputesBank(m *imalog.Measurement) bool {
	for _, a := range []compact.Algorithm{compact.SHA256, compact.SHA384, compact.SHA512, compact.SM3, compact.SHA3_256, compact.SHA3_384, compact.SHA3_512} {
		if a.Size() != len(m.TemplateDigest) {
			continue
		}
		if digest, err := hashes.Sum(a, m.Data); err == nil && bytes.Equal(digest, m.TemplateDigest) {
			return true
		}
	}
	return false
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
