// Package inroot opens files by the names that they have on a system, which may be the
// running one or one below a directory.
//
// Open never follows a symbolic link, wherever it is in the name: a user who can put a
// link into a directory of their own cannot make root read or write elsewhere. Real
// turns a name that may have links into one without, and never leads out of the root.
package inroot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"digestlists/internal/regular"

	"golang.org/x/sys/unix"
)

// ErrLink is a name that goes through a symbolic link.
var ErrLink = errors.New("goes through a symbolic link")

// A Root is the directory that is "/" to the names of files. It may be used by several
// goroutines.
type Root struct {
	path string
	fd   int
}

// Open opens a root; "" is that of the running system.
func Open(root string) (*Root, error) {
	if root == "" {
		root = "/"
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open(abs, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: root, Err: err}
	}
	return &Root{path: abs, fd: fd}, nil
}

// Close closes the root.
func (r *Root) Close() error { return unix.Close(r.fd) }

// Path returns where a file is on the running system.
func (r *Root) Path(name string) string { return filepath.Join(r.path, name) }

// Running reports whether this is the root of the running system.
func (r *Root) Running() bool { return r.path == "/" }

// Parent opens the directory that a file is in, to be used with the *at system calls
// and closed by the caller, and returns the last part of the name with it.
func (r *Root) Parent(name string) (dir *os.File, base string, err error) {
	folder, base := path.Split(path.Clean("/" + name))
	if base == "" {
		return nil, "", fmt.Errorf("%q: not the name of a file", name)
	}
	fd, err := unix.Openat(r.fd, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for part := range strings.SplitSeq(folder, "/") {
		if err == nil && part != "" {
			fd, err = step(fd, part)
		}
	}
	if err != nil {
		return nil, "", &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), r.Path(folder)), base, nil
}

// step goes from an open directory, which it closes, to one in it.
func step(dir int, name string) (int, error) {
	defer unix.Close(dir)
	return openFolder(dir, name, unix.O_PATH)
}

// openFolder opens a folder in an open one. The system's own error for a link does not
// tell it from a file.
func openFolder(dir int, name string, flags int) (int, error) {
	fd, err := unix.Openat(dir, name, flags|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOTDIR) && isLink(dir, name) {
		err = ErrLink
	}
	return fd, err
}

func isLink(dir int, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// Open opens a regular file for reading. Anything else in its place is an error, at
// once; a link, there or earlier in the name, is ErrLink.
func (r *Root) Open(name string) (*os.File, error) {
	dir, base, err := r.Parent(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return OpenAt(dir, base, name)
}

// OpenAt is Open of a file in an open directory; name is what errors call it.
func OpenAt(dir *os.File, base, name string) (*os.File, error) {
	fd, _, err := openFile(int(dir.Fd()), base, name)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func openFile(dir int, base, name string) (fd int, st *unix.Stat_t, err error) {
	fd, err = unix.Openat(dir, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ELOOP) {
		err = ErrLink
	}
	if err != nil {
		return -1, nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	st = new(unix.Stat_t)
	if err = unix.Fstat(fd, st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = regular.ErrNotRegular
	}
	if err != nil {
		unix.Close(fd)
		return -1, nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, st, nil
}

// OpenFolder opens a folder by a name without links.
func (r *Root) OpenFolder(name string) (*os.File, error) {
	dir, base, err := r.Parent(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd, err := openFolder(int(dir.Fd()), base, unix.O_RDONLY)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), r.Path(name)), nil
}

// Gone reports whether an error of Open says that there is no regular file of that name,
// as opposed to one that cannot be opened.
func Gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) ||
		errors.Is(err, regular.ErrNotRegular) || errors.Is(err, ErrLink)
}

// Real returns a name without the links that are in it: see Resolve.
func (r *Root) Real(name string) (string, error) {
	dir, err := os.OpenRoot(r.path)
	if err != nil {
		return "", err
	}
	defer dir.Close()
	real, err := Resolve(dir, name)
	return path.Join("/", real), err
}
