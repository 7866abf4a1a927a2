// Package xattr reads and writes extended attributes of files, by path or by
// open file, never following a symbolic link in the last part of a path.
//
// Errors are *Error and tell apart what callers must act on differently:
// errors.Is with ErrAbsent, ErrUnsupported, ErrPermission, or fs.ErrNotExist
// for a file that is missing.
package xattr

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"
)

// The classes of errors, for errors.Is.
var (
	// ErrAbsent: the file has no attribute of that name (ENODATA).
	ErrAbsent = errors.New("no such attribute")
	// ErrUnsupported: the file system does not keep such attributes (ENOTSUP).
	ErrUnsupported = errors.ErrUnsupported
	// ErrPermission: this process may not (EPERM, EACCES). Reading security.ima
	// needs none, writing it needs CAP_SYS_ADMIN.
	ErrPermission = fs.ErrPermission
)

// An Error says what could not be done with which attribute of which file.
type Error struct {
	Op   string // "get", "set", "remove" or "list"
	Path string // "" of an open file, whose name the caller knows
	Attr string // "" for list
	Err  error  // the unix.Errno
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s attribute %s: %v", e.Op, e.Attr, e.Err)
	if e.Attr == "" {
		text = fmt.Sprintf("%s attributes: %v", e.Op, e.Err)
	}
	if e.Path == "" {
		return text
	}
	return e.Path + ": " + text
}

// Unwrap returns the system's error number, which knows ErrPermission and
// ErrUnsupported by itself.
func (e *Error) Unwrap() error { return e.Err }

// Is reports ENODATA as ErrAbsent.
func (e *Error) Is(target error) bool {
	return target == ErrAbsent && errors.Is(e.Err, unix.ENODATA)
}

// Get returns the value of an attribute.
func Get(path, attr string) ([]byte, error) {
	value, err := read(nil, func(buf []byte) (int, error) { return unix.Lgetxattr(path, attr, buf) })
	return value, wrap("get", path, attr, err)
}

// GetFd is Get of an open file.
func GetFd(fd int, attr string) ([]byte, error) { return GetFdInto(nil, fd, attr) }

// GetFdInto is GetFd with the value in buf, if that has the capacity, at least Room.
func GetFdInto(buf []byte, fd int, attr string) ([]byte, error) {
	value, err := read(buf, func(buf []byte) (int, error) { return unix.Fgetxattr(fd, attr, buf) })
	return value, wrap("get", "", attr, err)
}

// Set creates or replaces an attribute.
func Set(path, attr string, value []byte) error {
	return wrap("set", path, attr, retry(func() error { return unix.Lsetxattr(path, attr, value, 0) }))
}

// SetFd is Set of an open file.
func SetFd(fd int, attr string, value []byte) error {
	return wrap("set", "", attr, retry(func() error { return unix.Fsetxattr(fd, attr, value, 0) }))
}

// Remove deletes an attribute; that there is none is ErrAbsent.
func Remove(path, attr string) error {
	return wrap("remove", path, attr, retry(func() error { return unix.Lremovexattr(path, attr) }))
}

// RemoveFd is Remove of an open file.
func RemoveFd(fd int, attr string) error {
	return wrap("remove", "", attr, retry(func() error { return unix.Fremovexattr(fd, attr) }))
}

// List returns the names of the attributes that this process may see, sorted.
func List(path string) ([]string, error) {
	names, err := read(nil, func(buf []byte) (int, error) { return unix.Llistxattr(path, buf) })
	return split(names), wrap("list", path, "", err)
}

// ListFd is List of an open file.
func ListFd(fd int) ([]string, error) {
	names, err := read(nil, func(buf []byte) (int, error) { return unix.Flistxattr(fd, buf) })
	return split(names), wrap("list", "", "", err)
}

// Room is enough for an RSA-4096 signature, in bytes, so that one system call does.
const Room = 1024

// read calls f with a buffer that is large enough. Where the first is not, f
// itself tells the size, which may have grown again by the time of the next call.
func read(buf []byte, f func([]byte) (int, error)) ([]byte, error) {
	if buf = buf[:cap(buf)]; len(buf) < Room {
		buf = make([]byte, Room)
	}
	for {
		n, err := f(buf)
		switch {
		case err == nil:
			return buf[:n:n], nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.ERANGE):
			return nil, err
		default:
			if n, err = f(nil); err != nil {
				return nil, err
			}
			buf = make([]byte, max(n, 2*len(buf)))
		}
	}
}

func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func wrap(op, path, attr string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Path: path, Attr: attr, Err: err}
}

func split(names []byte) []string {
	var all []string
	for name := range bytes.SplitSeq(names, []byte{0}) {
		if len(name) > 0 {
			all = append(all, string(name))
		}
	}
	slices.Sort(all)
	return all
}
