package pgp

import (
	"encoding/binary"
	"fmt"

	"digestlists/internal/imasig"
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: OpenPGP signature: "+format, append([]any{imasig.ErrMalformed}, args...)...)
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: OpenPGP signature: "+format, append([]any{imasig.ErrUnsupported}, args...)...)
}

// tagSignature is the packet type of a signature.
const tagSignature = 2

// signaturePacket returns the body of the next packet, which must be a signature in
// the old or the new packet format (RFC 4880 section 4.2).
func signaturePacket(in *reader) ([]byte, error) {
	start := in.at
	first := in.byte()
	var tag byte
	var size uint32
	switch {
	case in.failed || first&0x80 == 0:
		return nil, malformed("offset %d: not a binary packet", start)
	case first&0x40 != 0:
		tag, size = first&0x3f, newLength(in)
	default:
		tag, size = first>>2&0xf, oldLength(in, first&3)
	}
	if tag != tagSignature {
		return nil, malformed("offset %d: packet type %d, want %d", start, tag, tagSignature)
	}
	if in.failed || uint64(size) > uint64(in.left()) {
		return nil, malformed("offset %d: length %d of %d bytes", start, size, in.left())
	}
	return in.next(int(size)), nil
}

// maxSignatures is how many packets one header may have: more would only be there to
// keep a verifier busy.
const maxSignatures = 64

// Split takes signature packets apart that come one after the other, as RPM 6 has
// them in tag 278 and as `cat` makes them of several. No bytes are no packets.
func Split(packets []byte) ([][]byte, error) {
	var all [][]byte
	for in := (&reader{data: packets}); in.left() > 0; {
		start := in.at
		if _, err := signaturePacket(in); err != nil {
			return nil, err
		}
		if len(all) == maxSignatures {
			return nil, malformed("offset %d: more than %d packets", start, maxSignatures)
		}
		all = append(all, packets[start:in.at:in.at])
	}
	return all, nil
}

// oldLength reads a length of 1, 2 or 4 bytes. The indeterminate one is not for
// signatures.
func oldLength(in *reader, lengthType byte) uint32 {
	switch lengthType {
	case 0:
		return uint32(in.byte())
	case 1:
		return uint32(in.uint16())
	case 2:
		return in.uint32()
	}
	in.failed = true
	return 0
}

// newLength reads a length of 1, 2 or 5 bytes, as packets and subpackets have it.
// Partial lengths, which only packets can have, are not for signatures.
func newLength(in *reader) uint32 {
	first := in.byte()
	switch {
	case first < 192:
		return uint32(first)
	case first < 224:
		return uint32(first-192)<<8 + uint32(in.byte()) + 192
	case first == 255:
		return in.uint32()
	}
	in.failed = true
	return 0
}

// subpacketLength is newLength, but for 224 to 254, which are no partial lengths
// (RFC 4880 section 5.2.3.1).
func subpacketLength(in *reader) uint32 {
	if in.left() > 0 && in.data[in.at] >= 224 && in.data[in.at] < 255 {
		return uint32(in.byte()-192)<<8 + uint32(in.byte()) + 192
	}
	return newLength(in)
}

// A reader reads big-endian fields. What is not there is zero, and sets failed.
type reader struct {
	data   []byte
	at     int
	failed bool
}

func (r *reader) left() int { return len(r.data) - r.at }

// next returns the next n bytes, all of them or nil.
func (r *reader) next(n int) []byte {
	if r.failed || n < 0 || n > r.left() {
		r.failed = true
		return nil
	}
	r.at += n
	return r.data[r.at-n : r.at : r.at]
}

func (r *reader) byte() byte {
	if b := r.next(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.next(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.next(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// mpi reads a multiprecision integer (RFC 4880 section 3.2): its length in bits, and
// its bytes without leading zeros.
func (r *reader) mpi() []byte {
	bits := int(r.uint16())
	return r.next((bits + 7) / 8)
}
