package main

import (
	"fmt"
	"path/filepath"
	"time"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/listdir"
	"digestlists/internal/pgp"
	"digestlists/internal/regular"
	"digestlists/internal/vendorsig"
	"digestlists/parsers/rpmlist"
)

// A signature says who signed a list, or why nobody did who is known.
type signature struct {
	SignedBy string     `json:"signed_by,omitempty"`
	Vendor   *vendorKey `json:"vendor,omitempty"`
	Unsigned string     `json:"unsigned,omitempty"`
}

// A vendorKey is the key that a vendor signed a list with.
type vendorKey struct {
	ID     string `json:"id"`
	Owner  string `json:"owner"`
	OnDisk bool   `json:"on_disk"` // else apart, where no kernel looks
}

// counts reports whether a kernel that has the key takes the signature.
func (s signature) counts() bool { return s.SignedBy != "" || s.Vendor != nil && s.Vendor.OnDisk }

func (s signature) text() string {
	switch {
	case s.SignedBy != "":
		return "signed by " + printable(s.SignedBy)
	case s.Vendor == nil:
		return s.Unsigned
	}
	text := fmt.Sprintf("signed by vendor key %s of %s", s.Vendor.ID, printable(s.Vendor.Owner))
	if !s.Vendor.OnDisk {
		text += ", apart, where no kernel looks"
	}
	return text
}

// signers tells who signed the lists.
type signers struct {
	lists   *lists
	keys    *imasig.Keyring
	vendors *pgp.Keyring
	now     time.Time
	seen    map[string]signature
}

// signers trusts the key lists of the directory, --cert and --rpm-keys.
func (j *job) signers(root *inroot.Root, l *lists) (*signers, error) {
	s := &signers{lists: l, keys: new(imasig.Keyring), now: time.Now(), seen: make(map[string]signature)}
	var err error
	if s.vendors, err = j.vendors(); err != nil {
		return nil, err
	}
	if j.IsSet("cert") {
		if s.keys, err = certificates(root, j.StringSlice("cert")); err != nil {
			return nil, err
		}
	}
	for _, list := range l.Dir.Lists() {
		if list.Type != compact.TypeKey {
			continue
		}
		key, err := readKey(l, list)
		if err != nil {
			j.Fail(list.File, err)
			continue
		}
		s.keys.AddKey(key)
	}
	return s, nil
}

// vendors reads the keys of --rpm-keys.
func (j *job) vendors() (*pgp.Keyring, error) {
	keys := new(pgp.Keyring)
	for _, path := range j.StringSlice("rpm-keys") {
		data, err := regular.ReadFile(path, 0, maxCertificate)
		if err == nil {
			err = keys.Add(data, path)
		}
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// of returns the signature of a list: one that the kernel sees, or else the vendor's.
func (s *signers) of(list listdir.List) signature {
	found, ok := s.seen[list.File]
	if !ok {
		found = s.find(list)
		s.seen[list.File] = found
	}
	return found
}

func (s *signers) find(list listdir.List) signature {
	content, err := s.lists.ReadInto(list.File, nil)
	if err != nil {
		return signature{Unsigned: err.Error()}
	}
	by, err := s.verify(list.File, content)
	if err == nil {
		return signature{SignedBy: by}
	}
	if list.Format == rpmlist.Format {
		if vendor, ok := s.vendor(list.File, content); ok {
			return vendor
		}
	}
	return signature{Unsigned: reason(err)}
}

func reason(err error) string {
	if text, ok := imasig.Reason(err); ok {
		return text
	}
	return err.Error()
}

func (s *signers) verify(file string, content []byte) (string, error) {
	found, err := imasig.Find(filepath.Join(s.lists.Path, file), content)
	if err != nil {
		return "", err
	}
	verified, err := s.keys.Open(found, s.now)
	if err != nil {
		return "", err
	}
	return verified.Key.Name, nil
}

// vendor judges the vendor's signature of an rpm list, if there is one.
func (s *signers) vendor(file string, content []byte) (found signature, ok bool) {
	list, err := vendorsig.Find(s.lists.Path, file, content)
	if err == nil && list.Form == vendorsig.None {
		return found, false
	}
	var key *pgp.Key
	if err == nil {
		key, err = list.Verify(s.vendors, s.now)
	}
	if err != nil {
		return signature{Unsigned: "vendor's signature: " + reason(err)}, true
	}
	return signature{Vendor: &vendorKey{key.IDString(), key.Owner, list.Form == vendorsig.OnDisk}}, true
}
