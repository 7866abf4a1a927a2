package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/filehash"
	"digestlists/internal/selinux"
	"digestlists/internal/xattr"
	"digestlists/parsers"
)

// ErrChanged is returned for a file that is not the same before and after it was read.
var ErrChanged = filehash.ErrChanged

// work hashes files until there are no more, and reads their attributes.
func (p *pipeline) work(ctx context.Context, a compact.Algorithm, attributes parsers.Fields) {
	var h filehash.Hasher
	for j := p.next(); j != nil; j = p.next() {
		j.err = sum(ctx, &h, j, a, attributes)
		j.done <- struct{}{}
	}
}

// sum hashes the file of a job, and checks that it is the file that the walk
// found, from the first to the last byte.
func sum(ctx context.Context, h *filehash.Hasher, j *job, a compact.Algorithm, attributes parsers.Fields) error {
	// Not to wait for a writer, should the file have been replaced with a fifo.
	flags := unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	if !j.follow {
		flags |= unix.O_NOFOLLOW
	}
	var fd int
	err := retry(func() (err error) { fd, err = unix.Open(j.path, flags, 0); return err })
	if err != nil {
		return &fs.PathError{Op: "open", Path: j.path, Err: err}
	}
	defer unix.Close(fd)
	file := filehash.File{Fd: fd, Path: j.path, Stat: &j.stat}
	if err := file.Check(); err != nil {
		return err
	}
	if err := j.readAttributes(fd, attributes); err != nil {
		return err
	}
	_, err = h.Sum(ctx, file, a, j.digest[:0])
	return err
}

func (j *job) readAttributes(fd int, which parsers.Fields) (err error) {
	j.caps, j.label = nil, nil
	if which&parsers.FieldCaps != 0 {
		if j.caps, err = attribute(fd, capability.AttributeName); err != nil {
			return fmt.Errorf("%s: %w", j.path, err)
		}
	}
	if which&parsers.FieldLabel != 0 {
		if j.label, err = attribute(fd, selinux.AttributeName); err != nil {
			return fmt.Errorf("%s: %w", j.path, err)
		}
	}
	return nil
}

// attribute returns nil for a file without the attribute, also where the file system
// keeps none.
func attribute(fd int, name string) ([]byte, error) {
	value, err := xattr.GetFd(fd, name)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	return value, err
}
