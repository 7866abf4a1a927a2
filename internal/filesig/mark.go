package filesig

import (
	"context"
	"errors"
	"iter"

	"digestlists/internal/xattr"
	"digestlists/parsers"

	"golang.org/x/sys/unix"
)

// What Unmark may find.
const (
	Removed Status = "removed"
	Other   Status = "another list" // the attribute has another value
)

// Mark writes another attribute than security.ima, with Signature as its value, to each file
// that has the content of its Digest.
func (r *Runner) Mark(ctx context.Context, attr string, all iter.Seq2[*File, error]) iter.Seq2[*Result, error] {
	return r.each(ctx, all, func(w *worker, f *File, res *Result) {
		if f.Flags&parsers.FlagGhost != 0 {
			res.Status = Ghost
			return
		}
		opened, ok := w.start(f, res)
		if !ok {
			return
		}
		defer unix.Close(opened.Fd)
		if w.unchanged(f, opened, res) {
			w.write(opened, attr, f.Signature, func([]byte) bool { return false }, res)
		}
	})
}

// Unmark removes an attribute from each file where its value is one that ours is true for.
func (r *Runner) Unmark(ctx context.Context, attr string, ours func(f *File, value []byte) bool, all iter.Seq2[*File, error]) iter.Seq2[*Result, error] {
	return r.each(ctx, all, func(w *worker, f *File, res *Result) {
		opened, ok := w.start(f, res)
		if !ok {
			return
		}
		defer unix.Close(opened.Fd)
		value, err := xattr.GetFd(opened.Fd, attr)
		if before, ok := w.changed.get(opened); ok {
			value, err = before, nil
		}
		switch {
		case errors.Is(err, xattr.ErrAbsent), errors.Is(err, xattr.ErrUnsupported):
			res.Status = None
			return
		case err == nil && !ours(f, value):
			res.Status = Other
			return
		case err == nil && !w.DryRun:
			w.changed.add(opened, value)
			if err = xattr.RemoveFd(opened.Fd, attr); errors.Is(err, xattr.ErrAbsent) {
				err = nil // under another name it was removed
			}
		}
		res.Status = Removed
		w.refused(err, opened.Path, res)
	})
}
