package main

import (
	"bytes"
	"fmt"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/command"
	"digestlists/internal/evm"
	"digestlists/internal/imasig"
	"digestlists/internal/owner"
	"digestlists/parsers"
)

// A describer turns what lists say of files into what files have.
type describer struct {
	root   string
	owners *owner.DB          // read when it is needed
	ima    *compact.Algorithm // of security.ima; nil for that of the list
}

func (j *job) describer() (*describer, error) {
	d := &describer{root: j.root()}
	if !j.IsSet("algorithm") {
		return d, nil
	}
	a, err := compact.ParseAlgorithm(j.String("algorithm"))
	if err != nil {
		return nil, command.WithCode(command.ExitUsage, err)
	}
	d.ima = &a
	return d, nil
}

// metadata returns what the metadata of a file are to be. ok is false where the list does
// not say all of it: mode and owner.
func (d *describer) metadata(e *parsers.Entry) (m evm.Metadata, ok bool, err error) {
	if e.Known&parsers.FieldMode == 0 || e.Known&(parsers.FieldIDs|parsers.FieldNames) == 0 {
		return m, false, nil
	}
	m = evm.Metadata{Label: evm.Label(e.Label), IMA: imasig.MarshalDigest(e.Algorithm, e.Digest), Mode: e.Mode}
	if m.UID, m.GID, err = d.ids(e); err != nil {
		return m, false, err
	}
	m.Caps, err = encodeCaps(e.Caps)
	return m, err == nil, err
}

// digest returns the digest of a file's metadata: that of the list or, from what the list
// says, our own; nil where it does not say enough.
func (d *describer) digest(e *parsers.Entry) ([]byte, error) {
	if e.EVMDigest != nil {
		return e.EVMDigest, nil
	}
	m, ok, err := d.metadata(e)
	if err != nil || !ok {
		return nil, err
	}
	return m.Digest(e.Algorithm)
}

// label returns the value of security.selinux. Whoever labels files without SELinux may leave
// the NUL at the end out, which the digest of the list tells.
func (d *describer) label(e *parsers.Entry) ([]byte, error) {
	value := evm.Label(e.Label)
	m, ok, err := d.metadata(e)
	if err != nil || !ok || e.EVMDigest == nil {
		return value, err
	}
	m.Label = []byte(e.Label)
	if digest, err := m.Digest(e.Algorithm); err != nil || !bytes.Equal(digest, e.EVMDigest) {
		return value, err
	}
	return m.Label, nil
}

// ids returns the numbers of the owner, which the root's own users and groups tell.
func (d *describer) ids(e *parsers.Entry) (uid, gid uint32, err error) {
	if e.Known&parsers.FieldIDs != 0 {
		return e.UID, e.GID, nil
	}
	if d.owners == nil {
		if d.owners, err = owner.Open(d.root, "", ""); err != nil {
			return 0, 0, command.WithHint(err, "--root names the root of the system that the lists are of")
		}
	}
	return d.owners.IDs(e.User, e.Group)
}

// encodeCaps returns the value of security.capability, nil for no capabilities.
func encodeCaps(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	set, err := capability.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("capabilities: %w", err)
	}
	return set.Encode(), nil
}
