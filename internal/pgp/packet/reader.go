package packet

import "encoding/binary"

// A Reader reads big-endian fields. What is not there is zero, and makes it fail, which is to
// be asked once at the end.
type Reader struct {
	data       []byte
	at         int
	failed     bool
	indefinite bool // a length said so
}

// NewReader returns a reader of data, which it refers to.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Failed reports whether something was to be read that is not there.
func (r *Reader) Failed() bool { return r.failed }

// Left returns how many bytes are left.
func (r *Reader) Left() int { return len(r.data) - r.at }

// At returns the offset of what is read next, in the data that the first reader was made of.
func (r *Reader) At() int { return r.at }

// Since returns what was read from an offset on.
func (r *Reader) Since(start int) []byte { return r.data[start:r.at:r.at] }

// Next returns the next n bytes, all of them or nil.
func (r *Reader) Next(n int) []byte {
	if r.failed || n < 0 || n > r.Left() {
		r.failed = true
		return nil
	}
	r.at += n
	return r.Since(r.at - n)
}

// Part returns a reader of the next n bytes. If they are not there, both fail.
func (r *Reader) Part(n int) *Reader {
	start := r.at
	r.Next(n)
	return &Reader{data: r.data[:r.at], at: start, failed: r.failed}
}

// Byte reads 8 bits.
func (r *Reader) Byte() byte {
	if b := r.Next(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 reads 16 bits.
func (r *Reader) Uint16() uint16 {
	if b := r.Next(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads 32 bits.
func (r *Reader) Uint32() uint32 {
	if b := r.Next(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// MPI reads a multiprecision integer: its length in bits, and its bytes without leading
// zeros.
func (r *Reader) MPI() (number []byte, bits int) {
	bits = int(r.Uint16())
	return r.Next((bits + 7) / 8), bits
}
