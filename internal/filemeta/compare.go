package filemeta

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"digestlists/internal/capability"
	"digestlists/internal/evm"
	"digestlists/internal/imasig"
	"digestlists/internal/owner"
	"digestlists/internal/selinux"
	"digestlists/internal/xattr"
)

const permissions = 0o7777 // of st_mode, without the file type

// errMetaDigest is a file that the kernel will not find in the list, whatever is restored.
var errMetaDigest = errors.New("the digest of its metadata is not that of the list")

// compare notes what is not as a list says, and restores it if that is asked for.
func (t *target) compare(want *Want) error {
	if err := t.read(want); err != nil {
		return err
	}
	plan, err := t.hashed(*want)
	if err != nil {
		return err
	}
	changed, err := t.otherContent(&plan)
	switch {
	case err != nil:
		return err
	case changed && !want.Config && !want.Ghost:
		return errChanged
	case changed:
		plan = plan.withoutContent()
	}
	if plan, err = t.otherAlgorithm(plan); err != nil {
		return err
	}
	if t.Repair && plan.HasOwner && max(plan.UID, plan.GID) > owner.MaxID {
		return fmt.Errorf("no file can belong to %d:%d", plan.UID, plan.GID)
	}
	t.note(&plan)
	off, err := t.offDigest(&plan, t.Repair)
	if err != nil {
		return err
	}
	if !t.Repair {
		if off != nil && len(t.differences) == 0 { // else it is because of those
			t.differences = append(t.differences, *off)
		}
		return nil
	}
	if off != nil {
		t.dropEVM()
		err = fmt.Errorf("%w: %s, want %s", errMetaDigest, off.Is, off.Want)
	}
	if len(t.differences) == 0 {
		return err
	}
	if !t.DryRun {
		return errors.Join(t.restore(&plan), err)
	}
	return err
}

// read reads the attributes that a list speaks of, and those that a digest covers.
func (t *target) read(want *Want) error {
	t.attrs = make(map[string][]byte)
	names := []string{}
	for _, a := range want.Attrs {
		names = append(names, a.Name)
	}
	if want.MetaDigest != nil {
		names = append(names, selinux.AttributeName, imasig.AttributeName, capability.AttributeName)
	}
	for _, name := range names {
		if _, ok := t.attrs[name]; ok {
			continue
		}
		value, err := t.get(name)
		if err != nil {
			return err
		}
		t.attrs[name] = value
	}
	return nil
}

// get returns nil for an attribute that is absent, also where there can be none.
func (t *target) get(name string) ([]byte, error) {
	value, err := xattr.GetFd(t.fd, name)
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.path, err)
	}
	return value, nil
}

// hashed makes the values of attributes that are made of the content.
func (t *target) hashed(want Want) (Want, error) {
	for i, a := range want.Attrs {
		if a.Hash == nil {
			continue
		}
		sum, err := t.sum(*a.Hash)
		if err != nil {
			return want, err
		}
		want.Attrs = slices.Clone(want.Attrs)
		want.Attrs[i].Value = imasig.MarshalDigest(*a.Hash, sum)
	}
	return want, nil
}

// otherContent reports whether the file has other content than the list says.
func (t *target) otherContent(want *Want) (bool, error) {
	if t.Touch {
		return false, nil
	}
	same, err := t.has(want.Algorithm, want.Digest)
	return !same, err
}

// withoutContent is a Want for a file that has other content.
func (w Want) withoutContent() Want {
	attrs := w.Attrs
	w.Attrs, w.MetaDigest = nil, nil
	for _, a := range attrs {
		if !a.Content {
			w.Attrs = append(w.Attrs, a)
		}
	}
	return w
}

// note notes the differences of owner, mode and attributes.
func (t *target) note(want *Want) {
	if want.HasOwner && (t.st.Uid != want.UID || t.st.Gid != want.GID) {
		t.differ("owner", fmt.Sprintf("%d:%d", t.st.Uid, t.st.Gid), fmt.Sprintf("%d:%d", want.UID, want.GID))
	}
	if is, mode := t.st.Mode&permissions, uint32(want.Mode)&permissions; want.HasMode && is != mode {
		t.differ("mode", fmt.Sprintf("%04o", is), fmt.Sprintf("%04o", mode))
	}
	for _, a := range want.Attrs {
		if !a.does(t.attrs[a.Name]) {
			t.differ(a.Name, describe(a.Name, t.attrs[a.Name]), describe(a.Name, a.Value))
		}
	}
}

func (t *target) differ(attribute, is, want string) {
	t.differences = append(t.differences, Difference{attribute, is, want})
}

// does reports whether a value is as wanted, or as good.
func (a *Attr) does(value []byte) bool {
	return bytes.Equal(value, a.Value) || a.Instead != nil && value != nil && a.Instead(value)
}

// offDigest compares the digest of the metadata, of those that there are or of those that
// there will be when they are restored.
func (t *target) offDigest(want *Want, restored bool) (*Difference, error) {
	if want.MetaDigest == nil {
		return nil, nil
	}
	m := evm.Metadata{UID: t.st.Uid, GID: t.st.Gid, Mode: uint16(t.st.Mode)}
	values := t.attrs
	if restored {
		values = t.restored(want, &m)
	}
	m.Label, m.IMA, m.Caps = values[selinux.AttributeName], values[imasig.AttributeName], values[capability.AttributeName]
	digest, err := m.Digest(want.Algorithm)
	if err != nil || bytes.Equal(digest, want.MetaDigest) {
		return nil, err
	}
	return &Difference{"metadata digest", hex.EncodeToString(digest), hex.EncodeToString(want.MetaDigest)}, nil
}

// restored returns the attributes as they will be, and sets owner and mode so.
func (t *target) restored(want *Want, m *evm.Metadata) map[string][]byte {
	if want.HasOwner {
		m.UID, m.GID = want.UID, want.GID
	}
	if want.HasMode {
		m.Mode = m.Mode&^permissions | want.Mode&permissions
	}
	values := make(map[string][]byte)
	for name, value := range t.attrs {
		values[name] = value
	}
	for _, a := range want.Attrs {
		if !a.does(values[a.Name]) {
			values[a.Name] = a.Value
		}
	}
	return values
}

// dropEVM leaves security.evm alone: it would send the kernel to a list in vain.
func (t *target) dropEVM() {
	kept := t.differences[:0]
	for _, d := range t.differences {
		if d.Attribute != evm.AttributeName {
			kept = append(kept, d)
		}
	}
	t.differences = kept
}

// describe makes a value readable, where it is of a known form.
func describe(name string, value []byte) string {
	switch {
	case value == nil:
		return ""
	case name == selinux.AttributeName:
		label, ended := strings.CutSuffix(string(value), "\x00")
		if !ended {
			label += " (no NUL at its end)"
		}
		return label
	case name == capability.AttributeName:
		if set, err := capability.Decode(value); err == nil {
			return set.String()
		}
	}
	return hex.EncodeToString(value)
}
