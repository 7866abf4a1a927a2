package filemeta

import (
	"errors"
	"fmt"

	"digestlists/internal/capability"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// restore makes the differences as the list wants them.
func (t *target) restore(want *Want) error {
	mode := t.st.Mode & permissions
	if want.HasMode {
		mode = uint32(want.Mode) & permissions
	}
	if want.HasOwner && (t.st.Uid != want.UID || t.st.Gid != want.GID) {
		if err := unix.Fchown(t.fd, int(want.UID), int(want.GID)); err != nil {
			return fmt.Errorf("%s: set owner: %w", t.path, err)
		}
		if err := t.stat(); err != nil {
			return err
		}
	}
	if t.st.Mode&permissions != mode {
		if err := unix.Fchmod(t.fd, mode); err != nil {
			return fmt.Errorf("%s: set mode: %w", t.path, err)
		}
	}
	for i := range want.Attrs {
		if err := t.restoreAttr(&want.Attrs[i]); err != nil {
			return err
		}
	}
	return nil
}

// restoreAttr looks at the value again: a new owner may have taken capabilities away.
func (t *target) restoreAttr(a *Attr) error {
	if !t.noted(a.Name) && a.Name != capability.AttributeName {
		return nil
	}
	value, err := t.get(a.Name)
	if err != nil || a.does(value) {
		return err
	}
	if a.Value == nil {
		if err = xattr.RemoveFd(t.fd, a.Name); errors.Is(err, xattr.ErrAbsent) {
			return nil
		}
	} else {
		err = xattr.SetFd(t.fd, a.Name, a.Value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}

// noted reports whether an attribute is one of the differences.
func (t *target) noted(name string) bool {
	for _, d := range t.differences {
		if d.Attribute == name {
			return true
		}
	}
	return false
}
