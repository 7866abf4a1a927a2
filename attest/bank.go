package attest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"hash"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

// bankHash computes with the algorithm of a bank.
type bankHash struct {
	bank  compact.Algorithm
	size  int
	hash  hash.Hash
	block [2 * compact.MaxDigestSize]byte
}

func newBankHash(bank compact.Algorithm) (*bankHash, error) {
	h, err := hashes.New(bank)
	if err != nil {
		return nil, err
	}
	return &bankHash{bank: bank, size: bank.Size(), hash: h}, nil
}

// sum sets the start of dst to the digest of data. The two banks that all machines have
// are spared the copy of the state that hash.Hash makes.
func (b *bankHash) sum(dst *[compact.MaxDigestSize]byte, data []byte) {
	switch b.bank {
	case compact.SHA1:
		digest := sha1.Sum(data)
		copy(dst[:], digest[:])
	case compact.SHA256:
		digest := sha256.Sum256(data)
		copy(dst[:], digest[:])
	default:
		b.hash.Reset()
		b.hash.Write(data)
		b.hash.Sum(dst[:0])
	}
}

// ones is what a violation extends.
var ones = [compact.MaxDigestSize]byte(bytes.Repeat([]byte{0xff}, compact.MaxDigestSize))

var zeros [compact.MaxDigestSize]byte

// extend sets PCR = H(PCR ‖ digest), by both rules.
func (b *bankHash) extend(reg *register, e *entry, digest []byte) {
	short := e.extended[:]
	if e.violation {
		short, digest = ones[:sha1.Size], ones[:]
	}
	if b.bank == compact.SHA1 {
		b.chain(&reg.own, short, 0)
		return
	}
	// A bank smaller than SHA-1 gets the start of it.
	b.chain(&reg.padded, short[:min(len(short), b.size)], max(0, b.size-len(short)))
	if e.Data == nil && !e.violation {
		reg.lost = true
		return
	}
	b.chain(&reg.own, digest[:b.size], 0)
}

// chain extends a register with a digest and so many zeros.
func (b *bankHash) chain(reg *[compact.MaxDigestSize]byte, digest []byte, padding int) {
	n := copy(b.block[:], reg[:b.size])
	n += copy(b.block[n:], digest)
	n += copy(b.block[n:], zeros[:padding])
	b.sum(reg, b.block[:n])
}
