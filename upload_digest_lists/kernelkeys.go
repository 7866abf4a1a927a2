package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"digestlists/internal/imasig"
	"digestlists/internal/keyctl"
	"digestlists/internal/securityfs"
)

// kernelKeys are the keys by which the kernel verifies what it reads itself. A list with
// a signature by any other must not get there: at best it is refused, and Linux 5.10 with
// digest lists was seen to crash. A nil one does not ask.
type kernelKeys struct {
	identifiers func() ([][]byte, error)
}

// askKernel asks once, when the first signed list comes: key lists are loaded by then.
func askKernel(proc string, setup securityfs.Setup) *kernelKeys {
	if proc == "" || !setup.Appraises() {
		return nil
	}
	return &kernelKeys{sync.OnceValues(func() ([][]byte, error) { return keyctl.Verifying(proc) })}
}

// check refuses a list whose attribute security.ima the kernel cannot verify. That of a
// list without one is the kernel's to refuse, unless another list has its digest.
func (k *kernelKeys) check(dir, file string) error {
	if k == nil {
		return nil
	}
	value, err := imasig.ReadAttribute(filepath.Join(dir, file))
	if value == nil || err != nil {
		return err
	}
	sig, err := imasig.Parse(value)
	if err != nil {
		return err
	}
	held, err := k.identifiers()
	if err != nil {
		return fmt.Errorf("which keys the kernel verifies lists with is not known: %w", err)
	}
	if slices.ContainsFunc(held, func(id []byte) bool { return bytes.HasSuffix(id, sig.KeyID[:]) }) {
		return nil
	}
	return &foreignKeyError{sig.KeyID}
}

// A foreignKeyError is a list that is signed by a key that the kernel does not have.
type foreignKeyError struct{ id imasig.KeyID }

func (e *foreignKeyError) Error() string {
	return "signed by key " + e.id.String() + ", which the kernel has not: it would refuse the list, or crash"
}
