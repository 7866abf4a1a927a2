package listdir

import (
	"errors"
	"fmt"

	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// listMode is the mode of lists, which anyone may read.
const listMode = 0o644

// open is openat(2) that never follows a link in the last part of the path,
// does not leak into child processes, and goes on after a signal.
func open(dirfd int, path string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dirfd, path, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, listMode)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// writeAll writes all of p.
func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// syncFd makes a file, or the entries of a directory, durable.
func syncFd(fd int) error {
	for {
		if err := unix.Fsync(fd); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// copyAttributes gives one open file or directory the owner, the extended
// attributes and the mode of another.
func copyAttributes(to, from int) error {
	var have, want unix.Stat_t
	if err := errors.Join(unix.Fstat(to, &have), unix.Fstat(from, &want)); err != nil {
		return err
	}
	if have.Uid != want.Uid || have.Gid != want.Gid {
		if err := unix.Fchown(to, int(want.Uid), int(want.Gid)); err != nil {
			return fmt.Errorf("set owner: %w", err)
		}
	}
	if err := copyXattrs(to, from); err != nil {
		return err
	}
	// Last: a new owner clears bits of the mode, and an access list is part of it.
	if err := unix.Fchmod(to, want.Mode&0o7777); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	return nil
}

// copyXattrs copies the extended attributes but security.evm. What is there already with the same
// value, such as an SELinux label that was inherited, is not set again: that
// could need a privilege.
func copyXattrs(to, from int) error {
	names, err := xattr.ListFd(from)
	if errors.Is(err, xattr.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == xattrEVM {
			continue
		}
		value, err := xattr.GetFd(from, name)
		if err != nil {
			return err
		}
		if have, err := xattr.GetFd(to, name); err == nil && string(have) == string(value) {
			continue
		}
		if err := xattr.SetFd(to, name, value); err != nil {
			return err
		}
	}
	return nil
}

// xattrEVM holds a digest or signature over the other attributes, the owner and
// mostly the inode number too: a copy that is going to change needs a new one.
const xattrEVM = "security.evm"

// linkTree hard-links an entry of one directory into another. Directories, which
// have no hard links, are made again.
func linkTree(fromfd int, from string, tofd int, to string) error {
	err := unix.Linkat(fromfd, from, tofd, to, 0)
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	dir, failed := open(fromfd, from, unix.O_RDONLY|unix.O_DIRECTORY)
	if failed != nil {
		return err // not a directory: the reason is another one
	}
	defer unix.Close(dir)
	made, err := makeDir(tofd, to)
	if err != nil {
		return err
	}
	defer unix.Close(made)
	entries, err := readDirents(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := linkTree(dir, e.name, made, e.name); err != nil {
			return fmt.Errorf("%q: %w", e.name, err)
		}
	}
	return copyAttributes(made, dir)
}

// makeDir makes a private directory and opens it.
func makeDir(dirfd int, name string) (int, error) {
	if err := unix.Mkdirat(dirfd, name, 0o700); err != nil {
		return -1, err
	}
	fd, err := open(dirfd, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		unix.Unlinkat(dirfd, name, unix.AT_REMOVEDIR)
	}
	return fd, err
}

// removeTree removes a directory with all that is in it. It does not follow
// links, goes on after an error, and returns the first.
func removeTree(dirfd int, name string) error {
	fd, err := open(dirfd, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	entries, first := readDirents(fd)
	for _, e := range entries {
		err := unix.Unlinkat(fd, e.name, 0)
		if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EPERM) && e.isDir(fd) {
			err = removeTree(fd, e.name)
		}
		if first == nil && err != nil {
			first = fmt.Errorf("%q: %w", e.name, err)
		}
	}
	if err := unix.Unlinkat(dirfd, name, unix.AT_REMOVEDIR); first == nil {
		first = err
	}
	return first
}

// removeStubborn removes a directory, with a second try: after an error that
// passes, nothing is left behind.
func removeStubborn(dirfd int, name string) error {
	err := removeTree(dirfd, name)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err = removeTree(dirfd, name); errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}
