package rpmlist

import (
	"encoding/binary"
	"errors"
	"slices"

	"digestlists/compact"
	"digestlists/internal/pgp/packet"
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
	subIssuer      = 16
	subFingerprint = 33 // RFC 9580 section 5.2.3.35
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
	for in := packet.NewReader(packets); in.Left() > 0; {
		start := in.At()
		body, err := packet.Next(in)
		if err != nil {
			return nil, &compact.FormatError{Offset: int64(start), Field: "packet", Err: err}
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
func parseSignature(in *packet.Reader) (*signature, error) {
	start := in.At()
	version := in.Byte()
	var s *signature
	var algorithm uint8
	switch version {
	case 3:
		s, algorithm = parseV3(in)
	case 4:
		s, algorithm = parseV4(in, start)
	default:
		return nil, fail(start, "signature", compact.ErrUnsupportedVersion, "%d, want 3 or 4", version)
	}
	switch {
	case in.Failed():
		return nil, fail(start, "signature", compact.ErrTruncated, "version %d packet ends early", version)
	case s == nil:
		return nil, fail(start, "signature", compact.ErrMalformed, "version %d packet is not a signature over a binary document with an issuer", version)
	case !isRSA(algorithm):
		return nil, fail(start, "signature", compact.ErrUnsupportedAlgorithm, "public key algorithm %d, want RSA", algorithm)
	}
	in.Next(2) // start of the digest
	number, bits := in.MPI()
	if in.Failed() {
		return nil, fail(start, "signature", compact.ErrTruncated, "version %d packet ends in the RSA number", version)
	}
	if in.Left() != 0 || bits == 0 {
		return nil, fail(start, "signature", compact.ErrMalformed, "RSA number of %d bits with %d bytes after it", bits, in.Left())
	}
	s.number = number
	return s, nil
}

// parseV3 returns nil for what is no signature over a binary document.
func parseV3(in *packet.Reader) (*signature, uint8) {
	length := in.Byte()
	s := &signature{tail: in.Next(tailSizeV3)}
	copy(s.issuer[:], in.Next(len(s.issuer)))
	algorithm := in.Byte()
	s.hash = in.Byte()
	if length != tailSizeV3 || !validTail(s.tail) {
		return nil, 0
	}
	return s, algorithm
}

// parseV4 is parseV3 for a packet whose version was at start, and wants an issuer too.
func parseV4(in *packet.Reader, start int) (*signature, uint8) {
	in.Byte() // what is signed, see validTail
	algorithm := in.Byte()
	s := &signature{hash: in.Byte()}
	hashed := in.Part(int(in.Uint16()))
	s.tail = slices.Clone(in.Since(start))
	s.tail = append(s.tail, 4, trailerMarks)
	s.tail = binary.BigEndian.AppendUint32(s.tail, uint32(len(in.Since(start))))
	unhashed := in.Part(int(in.Uint16()))
	if !validTail(s.tail) {
		return nil, 0
	}
	// What is hashed cannot have been changed on the way.
	if !s.findIssuer(hashed) && !s.findIssuer(unhashed) {
		return nil, 0
	}
	return s, algorithm
}

// findIssuer looks for the key id in an area of subpackets.
func (s *signature) findIssuer(area *packet.Reader) bool {
	for area.Left() > 0 && !area.Failed() {
		kind, body := packet.Subpacket(area)
		switch {
		case kind&0x7f == subIssuer && body.Left() == len(s.issuer):
			s.issuer = [8]byte(body.Next(len(s.issuer)))
			return true
		case kind&0x7f == subFingerprint && body.Left() == 21 && body.Byte() == 4:
			body.Next(12)
			s.issuer = [8]byte(body.Next(len(s.issuer)))
			return true
		}
	}
	return false
}
