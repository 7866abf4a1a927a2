package tree

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io/fs"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

// ErrChanged is returned for a file that is not the same before and after it was read.
var ErrChanged = errors.New("the file changed while it was read")

// readSize is how much of a file is read at once: enough for few system calls, and
// small enough to be hashed out of the processor's cache.
const readSize = 128 << 10

// hasher is what a worker needs. Files are read by system calls of their own: package os
// would try to poll each file and keep a finalizer for it.
type hasher struct {
	hash hash.Hash
	buf  []byte
}

// work hashes files until there are no more.
func (p *pipeline) work(ctx context.Context, a compact.Algorithm) {
	h, err := hashes.New(a)
	w := hasher{hash: h, buf: make([]byte, readSize)}
	for j := p.next(); j != nil; j = p.next() {
		if j.err = err; err == nil {
			j.err = w.sum(ctx, j)
		}
		j.done <- struct{}{}
	}
}

// sum hashes the file of a job, and checks that it is the file that the walk
// found, from the first to the last byte.
func (w *hasher) sum(ctx context.Context, j *job) error {
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
	var st unix.Stat_t
	if err := same(fd, &st, j); err != nil {
		return err
	}
	if err := w.read(ctx, fd, j); err != nil {
		return err
	}
	if err := same(fd, &st, j); err != nil {
		return err
	}
	w.hash.Sum(j.digest[:0])
	return nil
}

// read hashes the content, which must be as long as the file's size. Files of
// pseudo file systems say 0 and have more.
func (w *hasher) read(ctx context.Context, fd int, j *job) error {
	w.hash.Reset()
	left := j.stat.Size
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var n int
		err := retry(func() (err error) { n, err = unix.Read(fd, w.buf); return err })
		if err != nil {
			return &fs.PathError{Op: "read", Path: j.path, Err: err}
		}
		left -= int64(n)
		if left < 0 || n == 0 && left > 0 {
			return fmt.Errorf("%s: %w: its size was %d", j.path, ErrChanged, j.stat.Size)
		}
		w.hash.Write(w.buf[:n])
		if left == 0 {
			return nil
		}
	}
}

// same compares the open file with what the walk found.
func same(fd int, st *unix.Stat_t, j *job) error {
	if err := retry(func() error { return unix.Fstat(fd, st) }); err != nil {
		return &fs.PathError{Op: "fstat", Path: j.path, Err: err}
	}
	was := &j.stat
	if st.Dev != was.Dev || st.Ino != was.Ino || st.Mode != was.Mode || st.Size != was.Size || st.Mtim != was.Mtim {
		return fmt.Errorf("%s: %w", j.path, ErrChanged)
	}
	return nil
}
