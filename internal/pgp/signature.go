package pgp

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/pgp/packet"
)

// Public-key algorithms (RFC 4880 section 9.1, RFC 9580 section 9.1).
const (
	algoRSA         = 1
	algoRSASignOnly = 3
	algoDSA         = 17
	algoECDSA       = 19
	algoEdDSA       = 22
	algoEd25519     = 27
)

// typeBinary is the signature type for a document as it is. Any other kind signs
// something else, and must not pass for it.
const typeBinary = 0

// A Signature is a signature packet.
type Signature struct {
	Version int // 3 or 4
	Hash    compact.Algorithm
	KeyID   [8]byte // of the key that made it, as it says
	Created time.Time

	lifetime  uint32   // seconds from Created; 0: for ever
	publicKey byte     // algorithm
	tail      []byte   // what is hashed after the content: see verify.go
	hashStart [2]byte  // of the digest that was signed
	values    [][]byte // the integers that the algorithm makes: RSA one, the others two
}

// KeyIDString returns the key id as 16 hexadecimal digits.
func (s *Signature) KeyIDString() string { return hex.EncodeToString(s.KeyID[:]) }

// ParseSignature reads one binary signature packet of version 3 or 4, see [Split].
// No bytes at all are imasig.ErrNoSignature.
func ParseSignature(data []byte) (*Signature, error) {
	if len(data) == 0 {
		return nil, imasig.ErrNoSignature
	}
	outer := packet.NewReader(data)
	in, err := signaturePacket(outer)
	if err != nil {
		return nil, err
	}
	if outer.Left() != 0 {
		return nil, malformed("offset %d: %d more bytes, want exactly one packet", outer.At(), outer.Left())
	}
	var s *Signature
	switch start, version := in.At(), in.Byte(); version {
	case 3:
		s, err = parseV3(in)
	case 4:
		s, err = parseV4(in, start)
	default:
		return nil, unsupported("version %d, want 3 or 4", version)
	}
	if err != nil {
		return nil, err
	}
	copy(s.hashStart[:], in.Next(2))
	if err := s.parseValues(in); err != nil {
		return nil, err
	}
	if in.Failed() || in.Left() != 0 {
		return nil, malformed("truncated, or %d bytes too long", in.Left())
	}
	return s, nil
}

// parseV3 reads the fields of RFC 4880 section 5.2.2 up to the algorithms.
func parseV3(in *packet.Reader) (*Signature, error) {
	s := &Signature{Version: 3}
	if n := in.Byte(); n != 5 {
		return nil, malformed("%d hashed bytes, want 5", n)
	}
	s.tail = in.Next(5)
	copy(s.KeyID[:], in.Next(8))
	s.publicKey = in.Byte()
	hash := in.Byte()
	if in.Failed() {
		return nil, malformed("truncated")
	}
	s.Created = time.Unix(int64(binary.BigEndian.Uint32(s.tail[1:])), 0)
	return s, s.check(s.tail[0], hash)
}

// parseV4 reads the fields of RFC 4880 section 5.2.3 up to the unhashed subpackets. The first
// of them, the version, was at start.
func parseV4(in *packet.Reader, start int) (*Signature, error) {
	s := &Signature{Version: 4}
	kind := in.Byte()
	s.publicKey = in.Byte()
	hash := in.Byte()
	hashed := in.Part(int(in.Uint16()))
	signed := in.Since(start)
	unhashed := in.Part(int(in.Uint16()))
	if in.Failed() {
		return nil, malformed("truncated")
	}
	s.tail = append(slices.Clone(signed), 4, 0xff)
	s.tail = binary.BigEndian.AppendUint32(s.tail, uint32(len(signed)))
	if err := s.parseSubpackets(hashed, true); err != nil {
		return nil, err
	}
	if err := s.parseSubpackets(unhashed, false); err != nil {
		return nil, err
	}
	if s.Created.IsZero() {
		return nil, malformed("no time of creation")
	}
	if s.KeyID == [8]byte{} {
		return nil, malformed("no issuer")
	}
	return s, s.check(kind, hash)
}

// check sets the hash algorithm.
func (s *Signature) check(kind, hash byte) error {
	if kind != typeBinary {
		return unsupported("type %#x, want 0 (binary document)", kind)
	}
	var err error
	if s.Hash, err = compact.AlgorithmFromOpenPGP(uint32(hash)); err != nil {
		return unsupported("%w", err)
	}
	return nil
}

// Subpacket types (RFC 4880 section 5.2.3.1).
const (
	subpacketCreated     = 2
	subpacketExpires     = 3
	subpacketIssuer      = 16
	subpacketPolicy      = 26
	subpacketSigner      = 28
	subpacketFingerprint = 33
)

// parseSubpackets reads a subpacket area. Only what is hashed can be believed, but
// the issuer, who is found out by trying.
func (s *Signature) parseSubpackets(area *packet.Reader, hashed bool) error {
	for area.Left() > 0 {
		kind, body := packet.Subpacket(area)
		if body.Failed() {
			return malformed("subpacket is truncated")
		}
		s.parseSubpacket(kind&0x7f, body, hashed)
		if body.Failed() {
			return malformed("subpacket %d is truncated", kind&0x7f)
		}
		if critical := kind&0x80 != 0; critical && hashed && !known(kind&0x7f) {
			return unsupported("critical subpacket %d", kind&0x7f)
		}
	}
	return nil
}

func known(kind byte) bool {
	switch kind {
	case subpacketCreated, subpacketExpires, subpacketIssuer, subpacketPolicy, subpacketSigner, subpacketFingerprint:
		return true
	}
	return false
}

func (s *Signature) parseSubpacket(kind byte, body *packet.Reader, hashed bool) {
	switch {
	case kind == subpacketCreated && hashed:
		s.Created = time.Unix(int64(body.Uint32()), 0)
	case kind == subpacketExpires && hashed:
		s.lifetime = body.Uint32()
	case kind == subpacketIssuer:
		copy(s.KeyID[:], body.Next(8))
	case kind == subpacketFingerprint:
		// The key id of a version 4 key is the end of its fingerprint.
		if version := body.Byte(); version == 4 {
			body.Next(12)
			copy(s.KeyID[:], body.Next(8))
		}
	}
}

// parseValues reads what the public-key algorithm made.
func (s *Signature) parseValues(in *packet.Reader) error {
	switch s.publicKey {
	case algoRSA, algoRSASignOnly:
		s.values = numbers(in, 1)
	case algoDSA, algoECDSA, algoEdDSA:
		s.values = numbers(in, 2)
	case algoEd25519:
		s.values = [][]byte{in.Next(64)}
	default:
		return unsupported("algorithm %d, want RSA, DSA, ECDSA or EdDSA", s.publicKey)
	}
	return nil
}

func numbers(in *packet.Reader, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i], _ = in.MPI()
	}
	return all
}
