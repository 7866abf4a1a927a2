package attest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/imasig"
	"digestlists/parsers/imalog"
)

// A signed is an entry of a file, whose digest is attested with all that the entry says of
// signatures.
type signed struct {
	*imalog.Measurement
	algorithm compact.Algorithm
	digest    []byte
}

// verify checks all signatures that an entry holds, and returns the name of the key that
// made one. A bad one by a key that is trusted is worth more than a good one beside it:
// somebody has changed something.
func (k *Keys) verify(e signed, now time.Time) (string, error) {
	signer, reason := "", error(imasig.ErrNoSignature)
	for _, check := range []func(*Keys, signed, time.Time) (*imasig.Key, error){(*Keys).imaSignature, (*Keys).appended, (*Keys).evmSignature} {
		key, err := check(k, e, now)
		switch {
		case err == nil && signer == "":
			signer = key.Name
		case err == nil:
		case isBad(err):
			return "", err
		case !errors.Is(err, imasig.ErrNoSignature):
			reason = err
		}
	}
	if signer == "" {
		return "", reason
	}
	return signer, nil
}

// isBad tells signatures of trusted keys that do not hold from those that say nothing.
func isBad(err error) bool {
	return errors.Is(err, imasig.ErrBadSignature) || errors.Is(err, imasig.ErrExpiredKey)
}

// imaSignature checks the value of security.ima against the digest of the file. The kernel
// has compared with that same digest, so that another algorithm cannot have been good.
func (k *Keys) imaSignature(e signed, now time.Time) (*imasig.Key, error) {
	value := e.Signature()
	if value == nil {
		return nil, imasig.ErrNoSignature
	}
	sig, err := imasig.Parse(value)
	if err != nil {
		return nil, err
	}
	if sig.Hash != e.algorithm {
		return nil, imasig.ErrBadSignature
	}
	return k.ring.VerifyDigest(e.digest, sig, now)
}

// appended checks the signature at the end of a module or another file. It is over the
// content before it, whose digest the kernel lists beside that of all of the file.
func (k *Keys) appended(e signed, now time.Time) (*imasig.Key, error) {
	der, algorithm, digest, err := e.AppendedSignature()
	if err != nil {
		return nil, err
	}
	if der == nil {
		return nil, imasig.ErrNoSignature
	}
	return k.ring.VerifyPKCS7(der, algorithm, digest, now)
}

// evmSignature checks a portable signature of the metadata (template evm-sig), which are
// the values of the protected attributes in the kernel's order, owner and mode. It is one of
// the file if security.ima, which has to be among the attributes, is of the entry's digest.
//
// Source: ima_eventinodexattrvalues_init and the functions beside it, security/integrity/ima/ima_template_lib.c.
func (k *Keys) evmSignature(e signed, now time.Time) (*imasig.Key, error) {
	value := e.Field("evmsig")
	if len(value) == 0 {
		return nil, imasig.ErrNoSignature
	}
	attribute, err := evm.Parse(value)
	if err != nil {
		return nil, err
	}
	if attribute.Kind != evm.Portable {
		return nil, fmt.Errorf("%w: security.evm is of kind %s, want %s", imasig.ErrNoSignature, attribute.Kind, evm.Portable)
	}
	owner, group, mode := e.Field("iuid"), e.Field("igid"), e.Field("imode")
	if len(owner) != 4 || len(group) != 4 || len(mode) != 2 {
		return nil, fmt.Errorf("%w: owner or mode", ErrMalformed)
	}
	values := e.Field("xattrvalues")
	// The digest is over all values on end: as one they are the same.
	metadata := evm.Metadata{
		Label: values,
		UID:   binary.LittleEndian.Uint32(owner), GID: binary.LittleEndian.Uint32(group), Mode: binary.LittleEndian.Uint16(mode),
	}
	digest, err := metadata.Digest(attribute.Algorithm)
	if err != nil {
		return nil, err
	}
	key, err := k.ring.VerifyDigest(digest, attribute.Signature, now)
	if err != nil {
		return nil, err
	}
	ima, err := protectedValue(e.Measurement, imasig.AttributeName)
	if err != nil {
		return nil, err
	}
	return key, k.sameFile(e, ima, now)
}

// sameFile holds that a value of security.ima is of the entry's digest.
func (k *Keys) sameFile(e signed, ima []byte, now time.Time) error {
	if algorithm, digest, err := imasig.ParseDigest(ima); err == nil {
		if algorithm != e.algorithm || !bytes.Equal(digest, e.digest) {
			return fmt.Errorf("%w: the metadata are signed with another digest of the file", imasig.ErrBadSignature)
		}
		return nil
	}
	sig, err := imasig.Parse(ima)
	if err != nil {
		return err
	}
	if sig.Hash != e.algorithm {
		return imasig.ErrBadSignature
	}
	_, err = k.ring.VerifyDigest(e.digest, sig, now)
	return err
}

// protectedValue finds the value of an attribute: names are joined by "|", lengths are u32
// in little-endian order, values are on end.
func protectedValue(m *imalog.Measurement, name string) ([]byte, error) {
	names := bytes.Split(bytes.TrimSuffix(m.Field("xattrnames"), []byte{0}), []byte("|"))
	lengths, values := m.Field("xattrlengths"), m.Field("xattrvalues")
	if len(lengths) != 4*len(names) {
		return nil, fmt.Errorf("%w: %d names of attributes with %d bytes of lengths", ErrMalformed, len(names), len(lengths))
	}
	for i, n := range names {
		size := binary.LittleEndian.Uint32(lengths[4*i:])
		if uint64(size) > uint64(len(values)) {
			return nil, fmt.Errorf("%w: an attribute of %d bytes with %d left", ErrMalformed, size, len(values))
		}
		if string(n) == name {
			return values[:size], nil
		}
		values = values[size:]
	}
	return nil, fmt.Errorf("%w: no %s among the attributes", imasig.ErrNoSignature, name)
}
