package pgp

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/imasig"
	"digestlists/internal/pgp/packet"
)

// Packet puts together again what [Signature.Tail] and [Signature.Attribute] have taken
// apart: content is the list without the tail, sig its security.ima. The packet is not
// verified.
//
// The attribute has but the end of the issuer's key id. Where the tail does not name the
// issuer, as in version 3 and the signatures of old gpg, one of the keyring's keys
// has to be it, else the error is *imasig.UnknownKeyError.
func (r *Keyring) Packet(content, tail []byte, sig imasig.Signature) ([]byte, error) {
	if len(tail) != 5 && len(tail) < 6+tailEnd {
		return nil, malformed("%d bytes of it at the end of the list, want 5, or %d and more", len(tail), 6+tailEnd)
	}
	hash, ok := sig.Hash.OpenPGP()
	if !ok {
		return nil, unsupported("%w: %s", compact.ErrUnsupportedAlgorithm, sig.Hash)
	}
	digest, err := hashes.Sum(sig.Hash, slices.Concat(content, tail))
	if err != nil {
		return nil, err
	}
	issuer, err := r.issuer(tail, sig.KeyID)
	if err != nil {
		return nil, err
	}
	var body []byte
	if len(tail) == 5 {
		body = append([]byte{3, 5}, tail...)
		body = append(append(body, issuer[:]...), algoRSA, byte(hash))
	} else {
		body = append(body, tail[:len(tail)-tailEnd]...)
		body = append(body, 0, 2+byte(len(issuer)), 1+byte(len(issuer)), subpacketIssuer)
		body = append(body, issuer[:]...)
	}
	body = append(body, digest[:2]...)
	body = appendMPI(body, sig.Sig)
	whole, err := oldPacket(body)
	if err != nil {
		return nil, err
	}
	parsed, err := ParseSignature(whole)
	if err != nil {
		return nil, err
	}
	if parsed.Hash != sig.Hash {
		return nil, malformed("over %s in the list, over %s in %s", parsed.Hash, sig.Hash, imasig.AttributeName)
	}
	return whole, nil
}

// tailEnd is the length of what comes after the hashed part of version 4: 04 ff and be32
// length.
const tailEnd = 6

// issuer returns the whole key id of which end is the last part.
func (r *Keyring) issuer(tail []byte, end imasig.KeyID) ([8]byte, error) {
	id, named, err := TailIssuer(tail)
	if err != nil {
		return id, err
	}
	if named {
		if imasig.KeyID(id[4:]) != end {
			return id, malformed("issuer %x in the list, %s in %s", id, end, imasig.AttributeName)
		}
		return id, nil
	}
	found := r.find(func(id [8]byte) bool { return imasig.KeyID(id[4:]) == end })
	if found == nil {
		return id, &imasig.UnknownKeyError{ID: end.String()}
	}
	return found[0].ID, nil
}

// TailIssuer returns the key id that a [Signature.Tail] names. named is false where it names
// none.
func TailIssuer(tail []byte) (id [8]byte, named bool, err error) {
	if len(tail) < 6+tailEnd {
		return id, false, nil
	}
	var s Signature
	err = s.parseSubpackets(packet.NewReader(tail[6:len(tail)-tailEnd]), true)
	return s.KeyID, s.KeyID != [8]byte{}, err
}

// appendMPI appends a multiprecision integer (RFC 4880 section 3.2).
func appendMPI(out, number []byte) []byte {
	number = bytes.TrimLeft(number, "\x00")
	length := 0
	if len(number) > 0 {
		length = 8*len(number) - bits.LeadingZeros8(number[0])
	}
	return append(binary.BigEndian.AppendUint16(out, uint16(length)), number...)
}

// oldPacket makes a signature packet with a length of 1 or 2 bytes, as gpg does.
func oldPacket(body []byte) ([]byte, error) {
	switch {
	case len(body) < 1<<8:
		return append([]byte{0x80 | packet.Signature<<2, byte(len(body))}, body...), nil
	case len(body) < 1<<16:
		head := []byte{0x80 | packet.Signature<<2 | 1}
		return append(binary.BigEndian.AppendUint16(head, uint16(len(body))), body...), nil
	}
	return nil, malformed("%d bytes, want less than %d", len(body), 1<<16)
}
