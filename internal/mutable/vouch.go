package mutable

import (
	"fmt"
	"os"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/xattr"
)

// Vouch gives those files that are like their copies a digest of their own, security.ima:
// a kernel with an EVM key adds its HMAC to that. It returns their names, and those of files
// that were left as they are, since they have changed.
func (b *Backup) Vouch(a compact.Algorithm) (done, changed []string, err error) {
	files, err := b.Files()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range files {
		ok, err := b.vouch(name, a)
		switch {
		case err != nil:
			return done, changed, err
		case ok:
			done = append(done, name)
		default:
			changed = append(changed, name)
		}
	}
	return done, changed, nil
}

func (b *Backup) vouch(name string, a compact.Algorithm) (bool, error) {
	file, err := b.store.root.Open(name)
	if inroot.Gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	if equal, err := b.sameAsCopy(name, file); err != nil || !equal {
		return false, err
	}
	sum, err := b.sum(name, a)
	if err != nil {
		return false, err
	}
	if err := xattr.SetFd(int(file.Fd()), imasig.AttributeName, imasig.MarshalDigest(a, sum)); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// sameAsCopy compares contents only.
func (b *Backup) sameAsCopy(name string, file *os.File) (bool, error) {
	copied, err := b.open(name)
	if err != nil {
		return false, err
	}
	defer copied.Close()
	return sameContent(copied, file)
}
