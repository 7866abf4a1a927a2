package metadata

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/imasig"
	"digestlists/internal/inroot"
	"digestlists/internal/xattr"
)

// A Target is a file that is to get attributes.
type Target struct {
	Path      string // under the root
	Algorithm compact.Algorithm
	Digest    []byte // of the content: another file of that name is left alone
	IMA       compact.Algorithm
}

// Attributes says which ones files get.
type Attributes struct {
	IMA bool // security.ima: a plain digest
	EVM bool // security.evm: the digest of the metadata is in the lists
}

// Applied counts what became of targets.
type Applied struct {
	Set     int `json:"set"`
	Missing int `json:"missing"` // no regular file of that name
	Changed int `json:"changed"` // has another content
	Failed  int `json:"failed"`  // see the error
}

// Apply sets attributes of files under a root, with that many workers. Names never lead
// out of the root. Files that fail do not stop the others: the error is that of the first
// one.
func Apply(ctx context.Context, root string, targets []Target, which Attributes, jobs int) (Applied, error) {
	var all Applied
	dir, err := inroot.Open(root)
	if err != nil {
		return all, err
	}
	defer dir.Close()
	results := make([]result, len(targets))
	group, ctx := errgroup.WithContext(ctx)
	for worker := range jobs {
		group.Go(func() error {
			a := applier{root: dir, which: which}
			for i := worker; i < len(targets); i += jobs {
				results[i] = a.apply(ctx, &targets[i])
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return all, err
	}
	for i, r := range results {
		*r.count(&all)++
		if r.err != nil && err == nil {
			err = fmt.Errorf("%s: %w", targets[i].Path, r.err)
		}
	}
	return all, err
}

// A result is what became of one target.
type result struct {
	outcome outcome
	err     error // of failed
}

type outcome uint8

const (
	failed outcome = iota
	set
	missing
	changed
)

func (r result) count(all *Applied) *int {
	return [...]*int{failed: &all.Failed, set: &all.Set, missing: &all.Missing, changed: &all.Changed}[r.outcome]
}

type applier struct {
	root   *inroot.Root
	which  Attributes
	hasher hasher
}

func (a *applier) apply(ctx context.Context, t *Target) result {
	f, err := open(a.root, t.Path)
	if err != nil {
		if inroot.Gone(err) {
			return result{outcome: missing}
		}
		return result{err: err}
	}
	defer f.Close()
	digest, err := a.hasher.sum(ctx, f, t.Algorithm)
	if err != nil {
		return result{err: err}
	}
	if !bytes.Equal(digest, t.Digest) {
		return result{outcome: changed}
	}
	if a.which.IMA {
		if t.IMA != t.Algorithm {
			if digest, err = a.hasher.sum(ctx, f, t.IMA); err != nil {
				return result{err: err}
			}
		}
		if err := xattr.SetFd(int(f.Fd()), imasig.AttributeName, imasig.MarshalDigest(t.IMA, digest)); err != nil {
			return result{err: err}
		}
	}
	if a.which.EVM {
		if err := xattr.SetFd(int(f.Fd()), evm.AttributeName, evm.ListedValue(t.Algorithm)); err != nil {
			return result{err: err}
		}
	}
	return result{outcome: set}
}
