package keylime

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"digestlists/internal/regular"
	"digestlists/parsers"
)

// maxPolicy bounds a policy, in bytes: a million files take 150 MB.
const maxPolicy = 1 << 30

// bootAggregate is no file.
const bootAggregate = "boot_aggregate"

// Source makes a list of each policy. It implements parsers.Source.
//
// A list has the name of its file and holds entries only, sorted by path. Whatever else is
// in a policy is not part of it: see Unused.
type Source struct {
	// Unused, which may be nil, is told what else a policy has.
	Unused func(path string, parts []string)
}

var _ parsers.Source = Source{}

// Lists yields the lists.
func (s Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	if len(in.Paths) == 0 {
		return parsers.Fail[parsers.List](errors.New("no policies given"))
	}
	return func(yield func(*parsers.List, error) bool) {
		for _, path := range in.Paths {
			policy, err := s.read(path)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&parsers.List{Name: filepath.Base(path), Entries: policy.entries(in)}, nil) {
				return
			}
		}
	}
}

func (s Source) read(path string) (*Policy, error) {
	data, err := regular.ReadFile(path, 0, maxPolicy)
	if err != nil {
		return nil, err
	}
	policy, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if unused := policy.Unused(); s.Unused != nil && unused != nil {
		s.Unused(path, unused)
	}
	return policy, nil
}

func (p *Policy) entries(in parsers.Input) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		entry := parsers.Entry{Type: in.Type, Known: parsers.FieldPath}
		for _, path := range slices.Sorted(maps.Keys(p.Digests)) {
			if path == bootAggregate {
				continue
			}
			for _, text := range p.Digests[path] {
				var err error
				entry.Path = path
				if entry.Algorithm, entry.Digest, err = decodeDigest(text); err != nil {
					yield(nil, err)
					return
				}
				if isZero(entry.Digest) || in.Select != nil && !in.Select(&entry) {
					continue // a violation, as old tools list it
				}
				if !yield(&entry, nil) {
					return
				}
			}
		}
	}
}

func isZero(digest []byte) bool {
	return !slices.ContainsFunc(digest, func(b byte) bool { return b != 0 })
}
