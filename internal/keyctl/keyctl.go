// Package keyctl makes, finds and reads keys of the kernel: keyrings(7), keyctl(2).
package keyctl

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// An ID is the serial number of a key or keyring.
type ID int32

// User is the keyring of the calling user, @u of keyctl(1). Keys in it stay when the
// process ends.
const User ID = unix.KEY_SPEC_USER_KEYRING

// ErrAbsent is a key or keyring that is not there.
var ErrAbsent = errors.New("no such key")

// ErrNoType is a type of key that the kernel does not have.
var ErrNoType = errors.New("the kernel has no keys of this type")

// add adds a key to a keyring. One of the same type and description is given the new
// payload, where its type allows that.
func add(kind, description string, payload []byte, ring ID) (ID, error) {
	id, err := unix.AddKey(kind, description, payload, int(ring))
	if err == unix.ENODEV {
		return 0, fmt.Errorf("add %s key %s: %w: %w", kind, description, ErrNoType, err)
	}
	if err != nil {
		return 0, fmt.Errorf("add %s key %s: %w", kind, description, err)
	}
	return ID(id), nil
}

// Replace adds a key to a keyring in place of one of the same type and description,
// which stays if the new one is not good.
func Replace(kind, description string, payload []byte, ring ID) (ID, error) {
	old, err := Find(ring, kind, description)
	if errors.Is(err, ErrAbsent) {
		return add(kind, description, payload, ring)
	}
	if err != nil {
		return 0, err
	}
	if err := Unlink(old, ring); err != nil {
		return 0, err
	}
	id, err := add(kind, description, payload, ring)
	if err != nil {
		return 0, errors.Join(err, link(old, ring))
	}
	return id, nil
}

func link(id, ring ID) error {
	if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, int(id), int(ring), 0, 0); err != nil {
		return fmt.Errorf("link key %d: %w", id, err)
	}
	return nil
}

// Find returns a key that is in a keyring, or in one that is in there.
func Find(ring ID, kind, description string) (ID, error) {
	id, err := unix.KeyctlSearch(int(ring), kind, description, 0)
	if err == unix.ENOKEY {
		return 0, fmt.Errorf("%s key %s: %w", kind, description, ErrAbsent)
	}
	if err != nil {
		return 0, fmt.Errorf("find %s key %s: %w", kind, description, err)
	}
	return ID(id), nil
}

// Read returns what a key holds, as its type has it: of keyrings, the numbers of keys;
// of sealed and encrypted keys, a text without the secret.
func Read(id ID) ([]byte, error) {
	buf := make([]byte, 512)
	for {
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, int(id), buf, 0)
		if err != nil {
			return nil, fmt.Errorf("read key %d: %w", id, err)
		}
		if n <= len(buf) {
			return buf[:n], nil
		}
		buf = make([]byte, n)
	}
}

// describe returns the type and description of a key.
func describe(id ID) (kind, description string, err error) {
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, int(id))
	if err != nil {
		return "", "", fmt.Errorf("describe key %d: %w", id, err)
	}
	// Type, user, group and permissions come first; the description may have semicolons.
	fields := strings.SplitN(text, ";", 5)
	if len(fields) != 5 {
		return "", "", fmt.Errorf("describe key %d: %q, want five fields", id, text)
	}
	return fields[0], fields[4], nil
}

// Unlink removes a key from a keyring.
func Unlink(id, ring ID) error {
	if _, err := unix.KeyctlInt(unix.KEYCTL_UNLINK, int(id), int(ring), 0, 0); err != nil {
		return fmt.Errorf("unlink key %d: %w", id, err)
	}
	return nil
}

// Possess makes the keys of the user's keyring be found when the kernel looks for one on
// behalf of this process: a session need not have that keyring in its own.
func Possess() error {
	return link(User, unix.KEY_SPEC_PROCESS_KEYRING)
}

// NewRing makes a keyring in another one, or returns the one of that name there.
func NewRing(name string, in ID) (ID, error) {
	if id, err := Find(in, "keyring", name); !errors.Is(err, ErrAbsent) {
		return id, err
	}
	return add("keyring", name, nil, in)
}
