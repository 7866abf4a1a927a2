// Package metadata completes entries with what lists of type metadata say of files:
// owner, capabilities, label, and the digest over all of it.
package metadata

import (
	"fmt"
	"iter"

	"digestlists/compact"
	"digestlists/internal/capability"
	"digestlists/internal/evm"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/owner"
	"digestlists/internal/selinux"
	"digestlists/parsers"
)

// Labels says where labels come from that an entry does not have itself.
type Labels int

// The places.
const (
	NoLabels     Labels = iota
	FileLabels          // security.selinux of the file under the root
	PolicyLabels        // the policy of the root
)

// Options direct a Completer.
type Options struct {
	Root   string // where the files are, "" for the running system
	Passwd string // file of users; "" for etc/passwd of the root
	Group  string // likewise
	// RootOwned gives all files to the user and group 0.
	RootOwned bool
	Labels    Labels
	// Digest computes the digests of metadata.
	Digest bool
	// IMA is the algorithm of security.ima of the files where it is not that of an
	// entry's digest: files are then hashed again. nil means that it is.
	IMA *compact.Algorithm
}

// A Completer completes entries. It is for one goroutine.
type Completer struct {
	Options
	// Unlabelled counts the files that are not under the root, of which nobody can
	// tell the label: their entries have none.
	Unlabelled int

	root   *inroot.Root
	owners *owner.DB       // nil until an entry has names
	policy *selinux.Policy // with PolicyLabels
	hasher hasher
}

// New returns a Completer; close it.
func New(opts Options) (*Completer, error) {
	c := &Completer{Options: opts}
	var err error
	if c.root, err = inroot.Open(opts.Root); err != nil {
		return nil, err
	}
	if opts.Labels == PolicyLabels {
		if c.policy, err = selinux.Load(opts.Root); err != nil {
			c.root.Close()
			return nil, fmt.Errorf("SELinux policy: %w", err)
		}
	}
	return c, nil
}

// Close closes the root.
func (c *Completer) Close() error { return c.root.Close() }

// Entries yields the entries with UID, GID, CapsValue, Caps, LabelValue and Label set, and
// EVMDigest if it is asked for. What cannot be found out is an error.
func (c *Completer) Entries(all iter.Seq2[*parsers.Entry, error]) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		for e, err := range all {
			if err == nil {
				err = c.complete(e)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (c *Completer) complete(e *parsers.Entry) error {
	for _, step := range [...]func(*parsers.Entry) error{c.setOwner, c.setCaps, c.setLabel, c.setDigest} {
		if err := step(e); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return nil
}

// setOwner finds the numbers of names.
func (c *Completer) setOwner(e *parsers.Entry) (err error) {
	switch {
	case c.RootOwned:
		e.UID, e.GID = 0, 0
	case e.Known&parsers.FieldIDs != 0:
	case e.Known&parsers.FieldNames == 0:
		return fmt.Errorf("the source does not say who owns it")
	default:
		if c.owners == nil {
			if c.owners, err = owner.Open(c.Root, c.Passwd, c.Group); err != nil {
				return err
			}
		}
		if e.UID, e.GID, err = c.owners.IDs(e.User, e.Group); err != nil {
			return err
		}
	}
	e.Known |= parsers.FieldIDs
	return nil
}

// setCaps makes text of the attribute, or the other way round.
func (c *Completer) setCaps(e *parsers.Entry) error {
	switch {
	case e.CapsValue != nil:
		set, err := capability.Decode(e.CapsValue)
		if err != nil {
			return err
		}
		e.Caps = set.String()
	case e.Caps != "":
		set, err := capability.Parse(e.Caps)
		if err != nil {
			return err
		}
		e.CapsValue = set.Encode()
	}
	return nil
}

func (c *Completer) setDigest(e *parsers.Entry) (err error) {
	if !c.Digest {
		return nil
	}
	algorithm, digest := e.Algorithm, e.Digest
	if c.IMA != nil && *c.IMA != algorithm {
		if algorithm, digest, err = c.rehash(e); err != nil {
			return err
		}
	}
	m := evm.Metadata{
		Label: e.LabelValue, Caps: e.CapsValue, IMA: imasig.MarshalDigest(algorithm, digest),
		UID: e.UID, GID: e.GID, Mode: e.Mode,
	}
	e.EVMDigest, err = m.Digest(e.Algorithm)
	e.Known |= parsers.FieldEVMDigest
	return err
}
