package securityfs

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Special keyrings, include/uapi/linux/keyctl.h.
const (
	userKeyring        = -4
	userSessionKeyring = -5
)

// The keyrings that IMA looks keys up in: the one that user space makes, and the
// kernel's own, which takes only certificates that are signed by a key it trusts.
const (
	userIMAKeyring   = "_ima"
	kernelIMAKeyring = ".ima"
)

// A Keyring is the serial number of a keyring of the kernel.
type Keyring int32

// FindKeyring finds the keyring with which IMA checks lists. The kernel's own is in
// nobody's keyring, so that only the list in a proc mounted there tells its number.
func FindKeyring(proc string) (Keyring, error) {
	for _, where := range []int{userKeyring, userSessionKeyring} {
		if id, err := unix.KeyctlSearch(where, "keyring", userIMAKeyring, 0); err == nil {
			return Keyring(id), nil
		}
	}
	if id, err := KernelKeyring(proc, kernelIMAKeyring); err == nil {
		return id, nil
	}
	return 0, ErrNoKeyring
}

// ErrNoKeyring means that there is no keyring of IMA.
var ErrNoKeyring = errors.New("no keyring _ima or .ima: make one with `keyctl newring _ima @u`")

// KernelKeyring finds a keyring of the kernel's own, whose name begins with a point, in
// the list in a proc mounted there. It is fs.ErrNotExist if there is none.
func KernelKeyring(proc, name string) (Keyring, error) {
	f, err := os.Open(filepath.Join(proc, "keys"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	id, err := findInKeys(f, name)
	if err != nil {
		return 0, fmt.Errorf("keyring %s: %w", name, err)
	}
	return id, nil
}

// findInKeys looks a keyring up in /proc/keys (keyrings(7), proc_keys(5)). Its lines
// are serial number in hexadecimal, flags, usage, timeout, permissions, user, group, type, and
// the name with a colon. It is fs.ErrNotExist if the list was read to its end without it.
func findInKeys(keys io.Reader, name string) (Keyring, error) {
	lines := bufio.NewScanner(keys)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 9 || fields[7] != "keyring" || fields[8] != name+":" {
			continue
		}
		if id, err := strconv.ParseInt(fields[0], 16, 32); err == nil {
			return Keyring(id), nil
		}
	}
	return 0, cmp.Or(lines.Err(), fs.ErrNotExist)
}

// Add adds a certificate in DER.
func (k Keyring) Add(der []byte) error {
	if _, err := unix.AddKey("asymmetric", "", der, int(k)); err != nil {
		return fmt.Errorf("add key to the IMA keyring: %w", err)
	}
	return nil
}
