package rpmlist

import (
	"encoding/binary"
	"errors"

	"digestlists/compact"
)

// A signature is what security.ima needs of an OpenPGP signature packet made with
// RSA (RFC 4880 sections 5.2.2 and 5.2.3).
type signature struct {
	tail   []byte // what is hashed after the signed bytes
	hash   uint8  // OpenPGP number
	issuer [8]byte
	number []byte // the RSA signature, big-endian
}

const (
	packetSignature = 2
	subIssuer       = 16
	subFingerprint  = 33 // RFC 9580 section 5.2.3.35
)

// RSA signatures: RFC 4880 section 9.1.
func isRSA(algorithm uint8) bool { return algorithm == 1 || algorithm == 3 }

// firstRSA returns the first signature made with RSA of those in packets, all of
// which must be signatures. Those of a later version are passed over: RPM 6 has them beside
// others.
func firstRSA(packets []byte) (*signature, error) {
	if len(packets) == 0 {
		return nil, fail(0, "packet", compact.ErrTruncated, "no signature")
	}
	var first *signature
	var other error // why the last one that is none was passed over
	for r := (&reader{data: packets}); len(r.data) > 0; {
		body, err := r.packet()
		if err != nil {
			return nil, err
		}
		s, err := parseSignature(body)
		switch {
		case errors.Is(err, compact.ErrUnsupportedVersion), errors.Is(err, compact.ErrUnsupportedAlgorithm):
			other = err
		case err != nil:
			return nil, err
		case first == nil:
			first = s
		}
	}
	if first == nil {
		return nil, other
	}
	return first, nil
}

// parseSignature reads a packet's body. One of another version, or not made with RSA,
// is compact.ErrUnsupportedVersion or ErrUnsupportedAlgorithm.
func parseSignature(r *reader) (*signature, error) {
	start := r.offset
	version := r.byte()
	var s *signature
	var algorithm uint8
	switch version {
	case 3:
		s, algorithm = parseV3(r)
	case 4:
		s, algorithm = parseV4(r)
	default:
		return nil, fail(start, "signature", compact.ErrUnsupportedVersion, "%d, want 3 or 4", version)
	}
	switch {
	case r.short:
		return nil, fail(start, "signature", compact.ErrTruncated, "version %d packet ends early", version)
	case s == nil:
		return nil, fail(start, "signature", compact.ErrMalformed, "version %d packet is not a signature over a binary document with an issuer", version)
	case !isRSA(algorithm):
		return nil, fail(start, "signature", compact.ErrUnsupportedAlgorithm, "public key algorithm %d, want RSA", algorithm)
	}
	r.take(2) // start of the digest
	bits := int(binary.BigEndian.Uint16(r.take(2)))
	s.number = r.take((bits + 7) / 8)
	if r.short {
		return nil, fail(start, "signature", compact.ErrTruncated, "version %d packet ends in the RSA number", version)
	}
	if len(r.data) != 0 || bits == 0 {
		return nil, fail(start, "signature", compact.ErrMalformed, "RSA number of %d bits with %d bytes after it", bits, len(r.data))
	}
	return s, nil
}

func parseV3(r *reader) (*signature, uint8) {
	length := r.byte()
	s := &signature{tail: r.take(tailSizeV3), issuer: [8]byte(r.take(8))}
	algorithm := r.byte()
	s.hash = r.byte()
	if length != tailSizeV3 || !validTail(s.tail) {
		return nil, 0
	}
	return s, algorithm
}

func parseV4(r *reader) (*signature, uint8) {
	head := r.take(tailIntroV4 - 1)
	hashed := r.take(int(binary.BigEndian.Uint16(head[3:])))
	unhashed := r.take(int(binary.BigEndian.Uint16(r.take(2))))
	s := &signature{hash: head[2]}
	s.tail = append(append([]byte{4}, head...), hashed...)
	s.tail = append(s.tail, 4, trailerMarks)
	s.tail = binary.BigEndian.AppendUint32(s.tail, uint32(tailIntroV4+len(hashed)))
	if !validTail(s.tail) {
		return nil, 0
	}
	// What is hashed cannot have been changed on the way.
	if !s.findIssuer(hashed) && !s.findIssuer(unhashed) {
		return nil, 0
	}
	return s, head[1]
}

// findIssuer looks for the key id in an area of subpackets.
func (s *signature) findIssuer(area []byte) bool {
	r := &reader{data: area}
	for len(r.data) > 0 && !r.short {
		body := r.take(r.subpacketLength())
		switch {
		case len(body) == 9 && body[0]&0x7f == subIssuer:
			s.issuer = [8]byte(body[1:])
			return true
		case len(body) == 22 && body[0]&0x7f == subFingerprint && body[1] == 4:
			s.issuer = [8]byte(body[14:])
			return true
		}
	}
	return false
}

// A reader takes a packet apart. After its end it returns zeros and sets short,
// which is checked once at the end.
type reader struct {
	data   []byte
	offset int // of data in the packets
	short  bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.short = true
		r.data = nil
		return make([]byte, min(n, 16))
	}
	taken := r.data[:n]
	r.data, r.offset = r.data[n:], r.offset+n
	return taken
}

func (r *reader) byte() uint8 { return r.take(1)[0] }

// packet returns the body of the next packet, which must be a signature
// (RFC 4880 section 4.2).
func (r *reader) packet() (*reader, error) {
	start := r.offset
	head := r.byte()
	kind, length := head&0x3f, -1
	if head&0x40 == 0 {
		kind = head >> 2 & 0xf
		length = r.oldLength(head & 3)
	} else {
		length = r.newLength()
	}
	if head&0x80 == 0 || kind != packetSignature || length < 0 {
		return nil, fail(start, "packet", compact.ErrMalformed, "starts with %#02x, want a signature of definite length", head)
	}
	body := &reader{offset: r.offset, data: r.take(length)}
	if r.short {
		return nil, fail(start, "packet", compact.ErrTruncated, "want %d bytes", length)
	}
	return body, nil
}

// oldLength reads the length of a packet in the old format, -1 for indefinite.
func (r *reader) oldLength(size uint8) int {
	switch size {
	case 0:
		return int(r.byte())
	case 1:
		return int(binary.BigEndian.Uint16(r.take(2)))
	case 2:
		return int(binary.BigEndian.Uint32(r.take(4)))
	default:
		return -1
	}
}

// newLength reads the length of a packet in the new format, -1 for partial.
func (r *reader) newLength() int {
	first := int(r.byte())
	switch {
	case first < 192:
		return first
	case first < 224:
		return (first-192)<<8 + int(r.byte()) + 192
	case first == 255:
		return int(binary.BigEndian.Uint32(r.take(4)))
	default:
		return -1
	}
}

// subpacketLength reads the length of a subpacket (RFC 4880 section 5.2.3.1).
func (r *reader) subpacketLength() int {
	first := int(r.byte())
	switch {
	case first < 192:
		return first
	case first < 255:
		return (first-192)<<8 + int(r.byte()) + 192
	default:
		return int(binary.BigEndian.Uint32(r.take(4)))
	}
}
