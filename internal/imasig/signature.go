package imasig

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"digestlists/compact"
)

// AttributeName is the extended attribute that holds a file's signature.
const AttributeName = "security.ima"

// First bytes of security.ima: enum evm_ima_xattr_type of the kernel's
// security/integrity/integrity.h, and the digest-list extension's type 6.
const (
	typeSHA1    = 1 // 20 bytes of SHA-1
	typeV2      = 3 // a signature
	typeDigest  = 4 // u8 algorithm, digest
	typeGranted = 6 // the same, granted by a digest list
	typeVerity  = 6 // of Linux 6.0 on, without the extension: a signature, version 3
)

// headerSize counts type, version, algorithm, key id and length.
const headerSize = 1 + 1 + 1 + 4 + 2

// MaxSize is the size of the longest signature in bytes, header included: the
// kernel's limit for an extended attribute.
const MaxSize = 64 << 10

// KeyID is what a signature names its key by: the last four bytes of the key
// identifier, in the order in which they are written.
type KeyID [4]byte

// String returns the id as 8 hexadecimal digits.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// A Signature is a version 2 signature over the digest of a file's content.
type Signature struct {
	Hash  compact.Algorithm // of the digest that was signed
	KeyID KeyID
	Sig   []byte // RSA: PKCS#1 v1.5 block; ECDSA: ASN.1 DER
}

// Marshal returns the value of the attribute: u8 type 3, u8 version 2, u8 hash
// algorithm, be32 key id, be16 length, signature. It returns nil for a signature that
// cannot be written so: empty, longer than MaxSize, or of an unknown algorithm.
func (s Signature) Marshal() []byte {
	if !s.Hash.Valid() || len(s.Sig) == 0 || len(s.Sig) > MaxSize-headerSize {
		return nil
	}
	out := make([]byte, 0, headerSize+len(s.Sig))
	out = append(out, typeV2, 2, byte(s.Hash))
	out = append(out, s.KeyID[:]...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(s.Sig)))
	return append(out, s.Sig...)
}

// Parse reads the value of security.ima, or of a detached signature. The length must
// be exact. A value that holds a digest and no signature is ErrNoSignature; a signature of
// version 1, or of version 3 (fs-verity), is ErrUnsupported; all else is ErrMalformed.
func Parse(value []byte) (Signature, error) {
	if len(value) == 0 {
		return Signature{}, malformed("signature: empty")
	}
	if value[0] != typeV2 {
		return Signature{}, notSignature(value)
	}
	if len(value) < headerSize {
		return Signature{}, malformed("signature: %d bytes, the header alone has %d", len(value), headerSize)
	}
	switch value[1] {
	case 2:
	case 1, 3:
		return Signature{}, unsupported("signature: offset 1: version %d, want 2", value[1])
	default:
		return Signature{}, malformed("signature: offset 1: version %d, want 2", value[1])
	}
	s := Signature{Hash: compact.Algorithm(value[2]), KeyID: KeyID(value[3:7]), Sig: value[headerSize:]}
	if !s.Hash.Valid() {
		return Signature{}, fmt.Errorf("%w: signature: offset 2: %w: id %d", ErrMalformed, compact.ErrUnsupportedAlgorithm, value[2])
	}
	size := int(binary.BigEndian.Uint16(value[7:]))
	if size != len(s.Sig) || size == 0 || len(value) > MaxSize {
		return Signature{}, malformed("signature: offset 7: length %d, but %d bytes follow", size, len(s.Sig))
	}
	return s, nil
}

// notSignature tells the other contents of security.ima from garbage.
func notSignature(value []byte) error {
	_, _, err := ParseDigest(value)
	if err != nil && value[0] == typeVerity && len(value) > headerSize && value[1] == 3 {
		return unsupported("signature of fs-verity: offset 1: version 3, want 2")
	}
	if err != nil {
		return malformed("signature: offset 0: type %d, want %d", value[0], typeV2)
	}
	return fmt.Errorf("%w: %s holds a plain digest", ErrNoSignature, AttributeName)
}

// ParseDigest reads a security.ima that holds a digest instead of a signature: type
// 4, type 6 (granted by a digest list) or type 1 (a bare SHA-1).
func ParseDigest(value []byte) (compact.Algorithm, []byte, error) {
	if len(value) == 0 {
		return 0, nil, malformed("digest: empty")
	}
	alg, digest := compact.SHA1, value[1:]
	switch value[0] {
	case typeSHA1:
	case typeDigest, typeGranted:
		if len(value) < 2 {
			return 0, nil, malformed("digest: offset 1: no algorithm")
		}
		alg, digest = compact.Algorithm(value[1]), value[2:]
	default:
		return 0, nil, malformed("digest: offset 0: type %d, want %d, %d or %d", value[0], typeSHA1, typeDigest, typeGranted)
	}
	if !alg.Valid() {
		return 0, nil, fmt.Errorf("%w: digest: offset 1: %w: id %d", ErrMalformed, compact.ErrUnsupportedAlgorithm, value[1])
	}
	if len(digest) != alg.Size() {
		return 0, nil, malformed("digest: %d bytes, %s has %d", len(digest), alg, alg.Size())
	}
	return alg, digest, nil
}

// MarshalDigest returns a security.ima of type 4: a plain digest.
func MarshalDigest(alg compact.Algorithm, digest []byte) []byte {
	return append([]byte{typeDigest, byte(alg)}, digest...)
}
