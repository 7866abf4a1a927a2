package evmkey

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"digestlists/internal/keyctl"

	"golang.org/x/sys/unix"
)

// keySize is that of new keys in bytes.
const keySize = 32

// NewMaster makes a master key, loads it, and returns what is to be kept of it: a line
// without its end. A trusted one is sealed below the key that is at the handle in
// the TPM; the handle is kept as well, since older kernels want it each time the key is loaded.
// Source: Documentation/security/keys/trusted-encrypted.rst of the kernel.
func NewMaster(kind Kind, handle uint32) (blob []byte, err error) {
	payload := fmt.Appendf(nil, "new %d keyhandle=%#x", keySize, handle)
	if kind == User {
		// dracut reads a line, and its shell keeps no NUL: hexadecimal digits.
		var secret [keySize]byte
		if _, err := rand.Read(secret[:]); err != nil {
			return nil, err
		}
		payload = []byte(hex.EncodeToString(secret[:]))
	}
	id, err := keyctl.Replace(string(kind), kind.description(), payload, keyctl.User)
	if err != nil {
		return nil, err
	}
	if blob, err = keyctl.Read(id); kind == Trusted {
		blob = fmt.Appendf(bytes.TrimSpace(blob), " keyhandle=%#x", handle)
	}
	return blob, err
}

// New makes an EVM key below a master key that is loaded, loads it, and returns what
// is to be kept of it, a line.
func New(kind Kind) (blob []byte, err error) {
	if err := keyctl.Possess(); err != nil {
		return nil, err
	}
	payload := fmt.Appendf(nil, "new %s:%s %d", kind, kind.description(), keySize)
	id, err := keyctl.Replace("encrypted", keyName, payload, keyctl.User)
	if err != nil {
		return nil, err
	}
	return keyctl.Read(id)
}

// LoadMaster loads a master key from what was kept of it.
func LoadMaster(kind Kind, blob []byte) error {
	payload := line(blob)
	if kind == Trusted {
		payload = append([]byte("load "), payload...)
	}
	_, err := keyctl.Replace(string(kind), kind.description(), payload, keyctl.User)
	return err
}

// Load loads an EVM key from what was kept of it. Its master key must be loaded.
func Load(blob []byte) error {
	if err := keyctl.Possess(); err != nil {
		return err
	}
	payload := append([]byte("load "), line(blob)...)
	_, err := keyctl.Replace("encrypted", keyName, payload, keyctl.User)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOKEY) {
		return fmt.Errorf("%w: is this the master key that it was made with?", err)
	}
	return err
}

// Unload removes the EVM key, which is no longer needed once EVM has it.
func Unload() error {
	id, err := keyctl.Find(keyctl.User, "encrypted", keyName)
	if err != nil {
		return err
	}
	return keyctl.Unlink(id, keyctl.User)
}

// MasterLoaded reports whether a master key is loaded.
func MasterLoaded(kind Kind) (bool, error) {
	_, err := keyctl.Find(keyctl.User, string(kind), kind.description())
	if errors.Is(err, keyctl.ErrAbsent) {
		return false, nil
	}
	return err == nil, err
}

// line returns a line without its end.
func line(blob []byte) []byte {
	return bytes.Clone(bytes.TrimRight(blob, "\r\n"))
}
