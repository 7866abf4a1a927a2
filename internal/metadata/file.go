package metadata

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/filehash"
	"digestlists/internal/inroot"
	"digestlists/internal/selinux"
	"digestlists/internal/xattr"
	"digestlists/parsers"
)

type hasher struct{ filehash.Hasher }

// open opens a file by its name under the root, whose directories may be links that
// do not lead out of it.
func open(root *inroot.Root, name string) (*os.File, error) {
	real, err := root.Real(name)
	if err != nil {
		return nil, err
	}
	return root.Open(real)
}

// sum returns the digest of an open file.
func (h *hasher) sum(f *os.File, a compact.Algorithm) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, &fs.PathError{Op: "fstat", Path: f.Name(), Err: err}
	}
	return h.Sum(context.Background(), filehash.File{Fd: int(f.Fd()), Path: f.Name(), Stat: &st}, a, nil)
}

// rehash hashes the file of an entry with the algorithm of security.ima. It must have
// the entry's content.
func (c *Completer) rehash(e *parsers.Entry) (compact.Algorithm, []byte, error) {
	f, err := open(c.root, e.Path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	digest, err := c.hasher.sum(f, e.Algorithm)
	if err != nil {
		return 0, nil, err
	}
	if !bytes.Equal(digest, e.Digest) {
		return 0, nil, fmt.Errorf("its %v digest is another one: the one in %v cannot be told", e.Algorithm, *c.IMA)
	}
	digest, err = c.hasher.sum(f, *c.IMA)
	return *c.IMA, digest, err
}

// setLabel finds the label where the entry has none of its own.
func (c *Completer) setLabel(e *parsers.Entry) (err error) {
	if e.Known&parsers.FieldLabel == 0 {
		switch c.Labels {
		case FileLabels:
			if e.LabelValue, err = c.fileLabel(e.Path); err != nil {
				return err
			}
		case PolicyLabels:
			e.LabelValue = evm.Label(c.policy.Label(e.Path, e.Mode))
		}
	}
	if e.Label = string(bytes.TrimSuffix(e.LabelValue, []byte{0})); e.Label == "" {
		return nil
	}
	return selinux.CheckLabel(e.Label)
}

// fileLabel reads the label of a file. A file system without attributes has none.
func (c *Completer) fileLabel(name string) ([]byte, error) {
	f, err := open(c.root, name)
	if err != nil {
		if inroot.Gone(err) {
			c.Unlabelled++
			return nil, nil
		}
		return nil, err
	}
	defer f.Close()
	value, err := xattr.GetFd(int(f.Fd()), selinux.AttributeName)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	return value, err
}
