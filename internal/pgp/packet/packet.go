// Package packet takes OpenPGP signature packets apart, as far as those who verify them and
// those who make lists of them have it in common: where packets and their parts begin and end
// (RFC 4880 sections 3.2, 4.2 and 5.2.3.1).
package packet

import (
	"fmt"

	"digestlists/compact"
)

// Signature is the type of packets that are signatures.
const Signature = 2

// Next returns a reader of the body of the next packet, which must be a signature of definite
// length in the old or the new format. Errors are compact.ErrMalformed, and
// compact.ErrTruncated where the length is more than there is.
func Next(in *Reader) (*Reader, error) {
	first := in.Byte()
	var kind byte
	var size uint32
	switch {
	case in.failed || first&0x80 == 0:
		return nil, fmt.Errorf("%w: not a binary packet", compact.ErrMalformed)
	case first&0x40 != 0:
		kind, size = first&0x3f, newLength(in)
	default:
		kind, size = first>>2&0xf, oldLength(in, first&3)
	}
	if kind != Signature {
		return nil, fmt.Errorf("%w: packet type %d, want %d", compact.ErrMalformed, kind, Signature)
	}
	if in.indefinite {
		return nil, fmt.Errorf("%w: a length that is not definite", compact.ErrMalformed)
	}
	if in.failed || uint64(size) > uint64(in.Left()) {
		return nil, fmt.Errorf("%w: length %d of %d bytes", compact.ErrTruncated, size, in.Left())
	}
	return in.Part(int(size)), nil
}

// Subpacket returns the type of the next subpacket, with the bit that says whether it is
// critical, and a reader of what comes after it.
func Subpacket(in *Reader) (kind byte, body *Reader) {
	body = in.Part(int(min(subpacketLength(in), 1<<16)))
	return body.Byte(), body
}

// oldLength reads a length of 1, 2 or 4 bytes. The indeterminate one is not for
// signatures.
func oldLength(in *Reader, lengthType byte) uint32 {
	switch lengthType {
	case 0:
		return uint32(in.Byte())
	case 1:
		return uint32(in.Uint16())
	case 2:
		return in.Uint32()
	}
	in.indefinite = true
	return 0
}

// newLength reads a length of 1, 2 or 5 bytes, as packets and subpackets have it.
// Partial lengths, which only packets can have, are not for signatures.
func newLength(in *Reader) uint32 {
	first := in.Byte()
	switch {
	case first < 192:
		return uint32(first)
	case first < 224:
		return uint32(first-192)<<8 + uint32(in.Byte()) + 192
	case first == 255:
		return in.Uint32()
	}
	in.indefinite = true
	return 0
}

// subpacketLength is newLength, but for 224 to 254, which are no partial lengths.
func subpacketLength(in *Reader) uint32 {
	if in.Left() > 0 && in.data[in.at] >= 224 && in.data[in.at] < 255 {
		return uint32(in.Byte()-192)<<8 + uint32(in.Byte()) + 192
	}
	return newLength(in)
}
