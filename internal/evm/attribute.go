package evm

import (
	"fmt"
	"slices"

	"digestlists/compact"
	"digestlists/internal/imasig"
)

// AttributeName is the extended attribute of EVM.
const AttributeName = "security.evm"

// A Kind is the first byte of security.evm: enum evm_ima_xattr_type of the kernel's
// security/integrity/integrity.h.
type Kind uint8

// The kinds.
const (
	HMAC      Kind = 2 // keyed hash of this machine: 20 bytes of SHA-1
	Signature Kind = 3 // over the metadata of this very inode
	Portable  Kind = 5 // signature over a portable digest
	Listed    Kind = 6 // the digest has to be in the digest lists
)

// String returns "hmac", "signature", "portable" or "listed".
func (k Kind) String() string {
	switch k {
	case HMAC:
		return "hmac"
	case Signature:
		return "signature"
	case Portable:
		return "portable"
	case Listed:
		return "listed"
	}
	return fmt.Sprintf("type %d", uint8(k))
}

// An Attribute is a value of security.evm.
type Attribute struct {
	Kind      Kind
	Algorithm compact.Algorithm // of the digest of the metadata
	HMAC      []byte            // of Kind HMAC
	Signature imasig.Signature  // of Kind Signature or Portable
}

const (
	hmacSize   = 20
	listedSize = 3 // type, version, algorithm
	version    = 2
	typeV2     = 3 // of security.ima, which has the layout of signatures
)

// ListedValue returns the value that has the kernel look the metadata's digest up in
// its lists: u8 type 6, u8 version 2, u8 algorithm.
func ListedValue(a compact.Algorithm) []byte { return []byte{byte(Listed), version, byte(a)} }

// Parse reads a value of security.evm. What is not exactly one of the kinds is
// compact.ErrMalformed.
func Parse(value []byte) (Attribute, error) {
	if len(value) == 0 {
		return Attribute{}, malformed("empty")
	}
	switch kind := Kind(value[0]); kind {
	case HMAC:
		if len(value) != 1+hmacSize {
			return Attribute{}, malformed("%d bytes, want %d for an hmac", len(value), 1+hmacSize)
		}
		return Attribute{Kind: kind, Algorithm: compact.SHA1, HMAC: value[1:]}, nil
	case Signature, Portable:
		return parseSignature(kind, value)
	case Listed:
		return parseListed(value)
	default:
		return Attribute{}, malformed("offset 0: type %d, want %d, %d, %d or %d", kind, HMAC, Signature, Portable, Listed)
	}
}

// parseSignature reads what differs from a signature in security.ima by its type.
func parseSignature(kind Kind, value []byte) (Attribute, error) {
	value = slices.Clone(value)
	value[0] = typeV2
	s, err := imasig.Parse(value)
	if err != nil {
		return Attribute{}, malformed("%w", err)
	}
	return Attribute{Kind: kind, Algorithm: s.Hash, Signature: s}, nil
}

func parseListed(value []byte) (Attribute, error) {
	if len(value) != listedSize || value[1] != version {
		return Attribute{}, malformed("%x, want type %d, version %d and an algorithm", value[:min(len(value), listedSize+1)], Listed, version)
	}
	a := compact.Algorithm(value[2])
	if !a.Valid() {
		return Attribute{}, malformed("offset 2: %w: id %d", compact.ErrUnsupportedAlgorithm, value[2])
	}
	return Attribute{Kind: Listed, Algorithm: a}, nil
}
