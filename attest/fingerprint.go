package attest

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
)

// valueHash is a SHA-256 over values with their lengths.
type valueHash struct{ h hash.Hash }

func newValueHash() valueHash { return valueHash{sha256.New()} }

func (v valueHash) bytes(b []byte) {
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(b)))
	v.h.Write(size[:])
	v.h.Write(b)
}

func (v valueHash) text(all ...string) {
	for _, s := range all {
		v.bytes([]byte(s))
	}
}

func (v valueHash) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	v.h.Write(b[:])
}

func (v valueHash) sum() []byte { return v.h.Sum(nil) }

// fingerprint is a digest of all that the references hold. It is made once, for any of
// several readers.
func (r *References) fingerprint() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.printed != nil {
		return r.printed
	}
	p := newValueHash()
	for _, list := range r.lists {
		unsigned := ""
		if list.Unsigned != nil {
			unsigned = list.Unsigned.Error()
		}
		p.text(list.Name, list.Origin, list.SignedBy, unsigned)
		p.number(uint64(list.Digests))
	}
	for _, f := range r.files {
		p.bytes(f.SHA256)
	}
	x := r.index
	for i := range x.records.count {
		rec := x.records.at(uint32(i))
		p.number(uint64(rec.list)<<32 | uint64(rec.algorithm)<<16 | uint64(rec.typ))
		p.number(uint64(rec.modifiers)<<32 | uint64(rec.path.size))
	}
	for _, block := range slices.Concat(x.digests.blocks, x.paths.blocks) {
		p.bytes(block)
	}
	r.printed = p.sum()
	return r.printed
}
