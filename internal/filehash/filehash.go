// Package filehash hashes the content of open files, and finds out when one changes
// meanwhile.
package filehash

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

// A Hasher has the buffers for one file after the other. Files are read by system calls of
// their own: package os would try to poll each file and keep a finalizer for it. The zero
// value is ready; goroutines need one each.
type Hasher struct {
	buf    []byte
	hashes map[compact.Algorithm]hash.Hash
}

// A File is an open file and what is known of it.
type File struct {
	Fd   int
	Path string       // for messages
	Stat *unix.Stat_t // what it has to be from the first to the last byte
}

// Sum appends the digest of a file's content to out. It reads from the start of the file,
// which may have been read before, and checks at the end that the file is what it has to be.
// Where that was learned from a name and not from the open file, Check comes before.
func (h *Hasher) Sum(ctx context.Context, f File, a compact.Algorithm, out []byte) ([]byte, error) {
	sum, err := h.hash(a)
	if err != nil {
		return nil, err
	}
	if err := h.read(ctx, f, sum); err != nil {
		return nil, err
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	return sum.Sum(out), nil
}

// hash returns an empty hash.
func (h *Hasher) hash(a compact.Algorithm) (hash.Hash, error) {
	if sum, ok := h.hashes[a]; ok {
		sum.Reset()
		return sum, nil
	}
	sum, err := hashes.New(a)
	if err != nil {
		return nil, err
	}
	if h.hashes == nil {
		h.hashes = make(map[compact.Algorithm]hash.Hash)
		h.buf = make([]byte, readSize)
	}
	h.hashes[a] = sum
	return sum, nil
}

// read hashes the content, which must be as long as the file's size. Files of
// pseudo file systems say 0 and have more.
func (h *Hasher) read(ctx context.Context, f File, sum hash.Hash) error {
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var n int
		err := retry(func() (err error) { n, err = unix.Pread(f.Fd, h.buf, at); return err })
		if err != nil {
			return &fs.PathError{Op: "read", Path: f.Path, Err: err}
		}
		at += int64(n)
		if at > f.Stat.Size || n == 0 && at < f.Stat.Size {
			return fmt.Errorf("%s: %w: its size was %d", f.Path, ErrChanged, f.Stat.Size)
		}
		sum.Write(h.buf[:n])
		if at == f.Stat.Size {
			return nil
		}
	}
}

// Check compares the open file with what is known of it: a difference is ErrChanged.
func (f File) Check() error {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(f.Fd, &st) }); err != nil {
		return &fs.PathError{Op: "fstat", Path: f.Path, Err: err}
	}
	was := f.Stat
	if st.Dev != was.Dev || st.Ino != was.Ino || st.Mode != was.Mode || st.Size != was.Size || st.Mtim != was.Mtim {
		return fmt.Errorf("%s: %w", f.Path, ErrChanged)
	}
	return nil
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
