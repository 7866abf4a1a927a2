package keyctl

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"

	"digestlists/internal/securityfs"
)

// The keyring with whose keys the kernel verifies what IMA appraises, where it has one
// of its own, and those of whose keys it takes certificates into that.
const imaKeyring = ".ima"

var trusted = []string{".builtin_trusted_keys", ".secondary_trusted_keys", ".machine"}

// Trusted returns the identifiers of the keys by one of which a certificate must be
// signed for the kernel's IMA keyring; nil if it has no such keyring, and takes
// any certificate into _ima.
func Trusted(proc string) ([][]byte, error) {
	if _, err := securityfs.KernelKeyring(proc, imaKeyring); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	ids := [][]byte{}
	for _, name := range trusted {
		ring, err := securityfs.KernelKeyring(proc, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		in, err := identifiers(ID(ring))
		if err != nil {
			return nil, fmt.Errorf("keyring %s: %w", name, err)
		}
		ids = append(ids, in...)
	}
	return ids, nil
}

// Verifying returns the identifiers of the keys by which the kernel verifies the files that
// IMA appraises: those in its keyring .ima, and those that it trusts from the start, which some
// kernels take as well (CONFIG_IMA_KEYRINGS_PERMIT_SIGNED_BY_BUILTIN_OR_SECONDARY with
// digest lists). A kernel that has no .ima takes those that root put into _ima.
func Verifying(proc string) ([][]byte, error) {
	// Who looks into the keyring of a user must possess it, which is a matter of threads.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ids, err := Trusted(proc)
	if err != nil {
		return nil, err
	}
	ring, err := ringOfIMA(proc, ids != nil)
	if errors.Is(err, securityfs.ErrNoKeyring) {
		return ids, nil
	}
	if err != nil {
		return nil, err
	}
	own, err := identifiers(ID(ring))
	if err != nil {
		return nil, fmt.Errorf("keyring of IMA: %w", err)
	}
	return append(ids, own...), nil
}

// ringOfIMA returns the keyring that IMA uses, the kernel's own or one of the user, which this
// thread possesses from then on.
func ringOfIMA(proc string, kernels bool) (securityfs.Keyring, error) {
	if kernels {
		return securityfs.KernelKeyring(proc, imaKeyring)
	}
	ring, err := securityfs.FindKeyring(proc)
	if err != nil {
		return 0, err
	}
	return ring, Possess()
}

// identifiers returns those of the certificates in a keyring. The kernel calls a
// certificate by its subject, a colon, and the subject key identifier in hexadecimal.
func identifiers(ring ID) (ids [][]byte, err error) {
	keys, err := Read(ring)
	if err != nil {
		return nil, err
	}
	for ; len(keys) >= 4; keys = keys[4:] {
		kind, description, err := describe(ID(binary.NativeEndian.Uint32(keys)))
		if err != nil {
			return nil, err
		}
		last := description[strings.LastIndexByte(description, ' ')+1:]
		if id, err := hex.DecodeString(last); kind == "asymmetric" && err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
