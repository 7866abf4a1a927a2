package mutable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// same reports whether two open files have the same content, mode, owner and attributes.
func same(a, b *os.File) (bool, error) {
	first, err := stat(a)
	if err != nil {
		return false, err
	}
	second, err := stat(b)
	if err != nil {
		return false, err
	}
	if first.Size != second.Size || first.Mode != second.Mode || first.Uid != second.Uid || first.Gid != second.Gid {
		return false, nil
	}
	if equal, err := sameAttributes(a, b); err != nil || !equal {
		return false, err
	}
	return sameContent(a, b)
}

func sameContent(a, b *os.File) (bool, error) {
	const size = 128 << 10
	first, second := make([]byte, size), make([]byte, size)
	for offset := int64(0); ; offset += size {
		n, err := a.ReadAt(first, offset)
		if err != nil && err != io.EOF {
			return false, err
		}
		m, err := b.ReadAt(second, offset)
		if err != nil && err != io.EOF {
			return false, err
		}
		if !bytes.Equal(first[:n], second[:m]) {
			return false, nil
		}
		if n < size {
			return true, nil
		}
	}
}

func sameAttributes(a, b *os.File) (bool, error) {
	first, err := attributes(a)
	if err != nil {
		return false, err
	}
	second, err := attributes(b)
	if err != nil || len(first) != len(second) {
		return false, err
	}
	for name, value := range first {
		if other, ok := second[name]; !ok || !bytes.Equal(value, other) {
			return false, nil
		}
	}
	return true, nil
}

// attributes returns the extended attributes of a file but those that vouch for a
// content: IMA and EVM make them for each copy anew.
func attributes(f *os.File) (map[string][]byte, error) {
	fd := int(f.Fd())
	names, err := xattr.ListFd(fd)
	if errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	all := make(map[string][]byte, len(names))
	for _, name := range names {
		if name == "security.ima" || name == "security.evm" {
			continue
		}
		value, getErr := xattr.GetFd(fd, name)
		if err = getErr; err != nil {
			break
		}
		all[name] = value
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return all, nil
}

// setLike gives an open file or directory owner, mode and attributes of another.
func setLike(dst, src *os.File) error {
	st, err := stat(src)
	if err != nil {
		return err
	}
	if err := dst.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	all, err := attributes(src)
	if err != nil {
		return err
	}
	for name, value := range all {
		if err := xattr.SetFd(int(dst.Fd()), name, value); err != nil {
			return fmt.Errorf("%s: %w", dst.Name(), err)
		}
	}
	// After the owner, which clears bits of the mode.
	if err := unix.Fchmod(int(dst.Fd()), st.Mode&0o7777); err != nil {
		return &os.PathError{Op: "chmod", Path: dst.Name(), Err: err}
	}
	return nil
}
