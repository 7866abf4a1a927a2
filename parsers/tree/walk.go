package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"digestlists/parsers"
)

// errStop ends a walk whose error, if any, was passed on.
var errStop = errors.New("stop")

// walker finds the files and submits them.
type walker struct {
	ctx      context.Context
	pipeline *pipeline
	keep     func(*parsers.Entry) bool
	entry    parsers.Entry // for keep
	job      *job          // to be used next
	base     input         // being walked
}

func (w *walker) walkAll(inputs []input) {
	for _, in := range inputs {
		w.base = in
		if w.walkInput() != nil {
			return
		}
	}
}

// take makes sure of a job to use.
func (w *walker) take() error {
	if w.job != nil {
		return w.ctx.Err()
	}
	select {
	case w.job = <-w.pipeline.free:
		return w.ctx.Err()
	case <-w.ctx.Done():
		return errStop
	}
}

// fail passes an error on and ends the walk.
func (w *walker) fail(err error) error {
	if w.take() != nil {
		return errStop
	}
	w.pipeline.fail(w.job, err)
	return errStop
}

// walkInput walks a path that was given, which may be a link.
func (w *walker) walkInput() error {
	if err := w.take(); err != nil {
		return err
	}
	path := w.base.path
	if err := stat(path, &w.job.stat); err != nil {
		return w.fail(&fs.PathError{Op: "stat", Path: path, Err: err})
	}
	switch w.job.stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return w.addFile(path, true)
	case unix.S_IFDIR:
		return w.walkDir(path)
	default:
		return w.fail(fmt.Errorf("%s: not a regular file or a directory but %s", path, kindName(w.job.stat.Mode)))
	}
}

func kindName(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return "a fifo"
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFCHR, unix.S_IFBLK:
		return "a device"
	default:
		return "something else"
	}
}

// walkDir submits the files under a directory.
func (w *walker) walkDir(dir string) error {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return w.fail(err)
	}
	if !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	for _, e := range entries {
		switch {
		case e.IsDir():
			err = w.walkDir(dir + e.Name())
		case e.Type().IsRegular():
			err = w.walkFile(dir + e.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) walkFile(path string) error {
	if err := w.take(); err != nil {
		return err
	}
	if err := lstat(path, &w.job.stat); err != nil {
		return w.fail(&fs.PathError{Op: "lstat", Path: path, Err: err})
	}
	if w.job.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return w.fail(fmt.Errorf("%s: %w", path, ErrChanged))
	}
	return w.addFile(path, false)
}

// addFile submits the file that w.job.stat describes, if it is wanted.
func (w *walker) addFile(path string, follow bool) error {
	w.job.path, w.job.follow = path, follow
	w.job.name = w.name(path)
	if w.keep != nil {
		w.job.fill(&w.entry)
		if !w.keep(&w.entry) {
			return nil
		}
	}
	w.pipeline.submit(w.job)
	w.job = nil
	return nil
}

// name returns the path as it goes into the entry, without copying where the path
// ends in it.
func (w *walker) name(path string) string {
	if start := len(w.base.path) - len(w.base.name); strings.HasSuffix(w.base.path, w.base.name) &&
		start < len(path) && path[start] == '/' {
		return path[start:]
	}
	rest := path[len(w.base.path):]
	if rest != "" && rest[0] != '/' {
		rest = "/" + rest
	}
	return w.base.name + rest
}

func stat(path string, st *unix.Stat_t) error {
	return retry(func() error { return unix.Stat(path, st) })
}

func lstat(path string, st *unix.Stat_t) error {
	return retry(func() error { return unix.Lstat(path, st) })
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
