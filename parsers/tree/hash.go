package tree

import (
	"context"
	"io/fs"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/filehash"
)

// ErrChanged is returned for a file that is not the same before and after it was read.
var ErrChanged = filehash.ErrChanged

// work hashes files until there are no more.
func (p *pipeline) work(ctx context.Context, a compact.Algorithm) {
	var h filehash.Hasher
	for j := p.next(); j != nil; j = p.next() {
		j.err = sum(ctx, &h, j, a)
		j.done <- struct{}{}
	}
}

// sum hashes the file of a job, and checks that it is the file that the walk
// found, from the first to the last byte.
func sum(ctx context.Context, h *filehash.Hasher, j *job, a compact.Algorithm) error {
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
	_, err = h.Sum(ctx, filehash.File{Fd: fd, Path: j.path, Stat: &j.stat}, a, j.digest[:0])
	return err
}
