package filemeta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"digestlists/compact"
	"digestlists/internal/filehash"
	"digestlists/internal/inroot"

	"golang.org/x/sys/unix"
)

// OpenFunc opens a regular file for reading, and nothing else.
type OpenFunc func(name string) (*os.File, error)

// A worker looks at one file after the other.
type worker struct {
	*Runner
	ctx    context.Context
	open   OpenFunc
	hasher filehash.Hasher
	names  *sync.Map // a *sync.Mutex of each inode that has several
}

func (r *Runner) worker(ctx context.Context, names *sync.Map) (*worker, func()) {
	open, done := r.Open()
	return &worker{Runner: r, ctx: ctx, open: open, names: names}, done
}

func (w *worker) do(file *File) Result {
	res := Result{Path: file.Path, Status: Good}
	f, err := w.open(file.Path)
	if err != nil {
		res.Status, res.Err = Failed, err
		if inroot.Gone(err) {
			res.Status = Missing
			if !slices.ContainsFunc(file.Wants, func(w Want) bool { return !w.Ghost }) {
				res.Status = Ghost
			}
		}
		return res
	}
	defer f.Close()
	t := &target{worker: w, fd: int(f.Fd()), path: file.Path}
	if err := t.stat(); err != nil {
		res.Status, res.Err = Failed, err
		return res
	}
	res.Device = uint64(t.st.Dev)
	if t.st.Nlink > 1 && w.Repair {
		unlock := w.lock(&t.st)
		defer unlock()
		if err := t.stat(); err != nil {
			res.Status, res.Err = Failed, err
			return res
		}
	}
	w.compare(t, file, &res)
	return res
}

// lock waits until no other worker changes the file, under another of its names.
func (w *worker) lock(st *unix.Stat_t) (unlock func()) {
	one, _ := w.names.LoadOrStore([2]uint64{uint64(st.Dev), st.Ino}, new(sync.Mutex))
	mutex := one.(*sync.Mutex)
	mutex.Lock()
	return mutex.Unlock
}

// compare goes through what lists say of a file, until one disagrees.
func (w *worker) compare(t *target, file *File, res *Result) {
	wants, err := w.ofContent(t, file.Wants)
	switch {
	case err != nil:
		res.Status, res.Err = Failed, err
		return
	case len(wants) == 0:
		res.Status = Changed
		return
	}
	want, err := t.merged(wants)
	if err == nil {
		res.List = want.List
		err = t.compare(&want)
	}
	if err != nil {
		res.Status, res.Err = statusOf(err), err
	}
	res.Differences = t.differences
	switch {
	case res.Err != nil || len(t.differences) == 0:
	case !w.Repair:
		res.Status = Different
	default:
		res.Status = Repaired
	}
}

// ofContent leaves out what lists say of other content, where they do not all say the same.
func (w *worker) ofContent(t *target, wants []Want) ([]Want, error) {
	if w.Touch || sameContent(wants) {
		return wants, nil
	}
	var kept []Want
	for _, want := range wants {
		same, err := t.has(want.Algorithm, want.Digest)
		if err != nil {
			return nil, err
		}
		if same {
			kept = append(kept, want)
		}
	}
	return kept, nil
}

func sameContent(wants []Want) bool {
	for _, want := range wants[1:] {
		if want.Algorithm != wants[0].Algorithm || !bytes.Equal(want.Digest, wants[0].Digest) {
			return false
		}
	}
	return true
}

// statusOf tells what a file system or the kernel refuses from other errors.
func statusOf(err error) Status {
	for _, refusal := range []unix.Errno{unix.EPERM, unix.EACCES, unix.ENOTSUP, unix.EROFS, unix.ENOSPC} {
		if errors.Is(err, refusal) {
			return Refused
		}
	}
	if errors.Is(err, errChanged) {
		return Changed
	}
	return Failed
}

// errChanged is content that no list has.
var errChanged = errors.New("the content is not that of the list")

// A target is an open file.
type target struct {
	*worker
	fd          int
	path        string
	st          unix.Stat_t
	sums        map[compact.Algorithm][]byte
	attrs       map[string][]byte // as they are or, in a dry run, would be
	differences []Difference
}

func (t *target) stat() error {
	if err := unix.Fstat(t.fd, &t.st); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}

// has reports whether the content has a digest.
func (t *target) has(a compact.Algorithm, digest []byte) (bool, error) {
	sum, err := t.sum(a)
	return err == nil && bytes.Equal(sum, digest), err
}

// sum returns the digest of the content.
func (t *target) sum(a compact.Algorithm) ([]byte, error) {
	if sum, ok := t.sums[a]; ok {
		return sum, nil
	}
	sum, err := t.hasher.Sum(t.ctx, filehash.File{Fd: t.fd, Path: t.path, Stat: &t.st}, a, nil)
	if err != nil {
		return nil, err
	}
	if t.sums == nil {
		t.sums = make(map[compact.Algorithm][]byte)
	}
	t.sums[a] = sum
	return sum, nil
}
