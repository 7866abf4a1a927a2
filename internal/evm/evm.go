// Package evm computes the digests of files' metadata that lists of type metadata
// hold, and reads and writes the values of security.evm.
package evm

import (
	"encoding/binary"
	"fmt"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

// Metadata is what a portable digest covers. Attributes are as the file has them,
// nil for none.
type Metadata struct {
	Label []byte // security.selinux, with the NUL at its end
	IMA   []byte // security.ima, normally a digest: imasig.MarshalDigest
	Caps  []byte // security.capability
	UID   uint32
	GID   uint32
	Mode  uint16 // st_mode
}

// Digest returns the portable digest: the hash of label, IMA and Caps, where
// present, and 24 bytes: u64 inode 0, u32 generation 0, u32 UID, u32 GID, u16 Mode and
// two zeros, little-endian. That is what the kernel signs and checks as
// EVM_XATTR_PORTABLE_DIGSIG on x86-64 and other little-endian machines
// (security/integrity/evm/evm_crypto.c).
func (m *Metadata) Digest(a compact.Algorithm) ([]byte, error) {
	h, err := hashes.New(a)
	if err != nil {
		return nil, err
	}
	h.Write(m.Label)
	h.Write(m.IMA)
	h.Write(m.Caps)
	var misc [24]byte
	binary.LittleEndian.PutUint32(misc[12:], m.UID)
	binary.LittleEndian.PutUint32(misc[16:], m.GID)
	binary.LittleEndian.PutUint16(misc[20:], m.Mode)
	h.Write(misc[:])
	return h.Sum(nil), nil
}

// Label returns the value of security.selinux for a label, nil for none.
func Label(label string) []byte {
	if label == "" {
		return nil
	}
	return append([]byte(label), 0)
}

// malformed is an error in a value of security.evm.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %w", AttributeName, compact.ErrMalformed, fmt.Errorf(format, args...))
}
