// Package known tells which files the lists of a directory know already.
package known

import (
	"fmt"
	"iter"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/formats"
)

// A Set holds the digests of files and of their metadata, with what lists say of them
// together.
type Set map[key]compact.Modifiers

type key struct {
	typ       compact.Type
	algorithm compact.Algorithm
	sum       string
}

// Read reads every list of files in a directory. One that cannot be read is an error:
// its files would all be taken for unknown.
func Read(path string) (Set, error) {
	dir, err := listdir.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	all := make(Set)
	reg := formats.Lists()
	for _, l := range dir.Lists() {
		if l.Type != compact.TypeFile && l.Type != compact.TypeMetadata {
			continue
		}
		content, err := dir.ReadInto(l.File, nil)
		if err != nil {
			return nil, err
		}
		if err := all.Add(decode.Entries(reg, l.Name, content, parsers.Options{})); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", path, l.File, err)
		}
	}
	return all, nil
}

// Add adds the digests of files and of metadata.
func (s Set) Add(entries iter.Seq2[*parsers.Entry, error]) error {
	for e, err := range entries {
		if err != nil {
			return err
		}
		s[key{e.Type, e.Algorithm, string(e.Digest)}] |= e.Modifiers
		if e.EVMDigest != nil {
			s[key{compact.TypeMetadata, e.Algorithm, string(e.EVMDigest)}] |= e.Modifiers
		}
	}
	return nil
}

// Has reports whether a file with that digest is known.
func (s Set) Has(a compact.Algorithm, digest []byte) bool {
	_, ok := s[key{compact.TypeFile, a, string(digest)}]
	return ok
}

// Immutable reports whether a file with that digest is known as one that nobody may
// change.
func (s Set) Immutable(a compact.Algorithm, digest []byte) bool {
	return s[key{compact.TypeFile, a, string(digest)}]&compact.Immutable != 0
}

// knows reports whether an entry is known: by its metadata, where it has a digest of
// them, else by its content.
func (s Set) knows(e *parsers.Entry) bool {
	if e.EVMDigest == nil {
		return s.Has(e.Algorithm, e.Digest)
	}
	_, ok := s[key{compact.TypeMetadata, e.Algorithm, string(e.EVMDigest)}]
	return ok
}

// Without leaves out entries that are known.
func (s Set) Without(all iter.Seq2[*parsers.Entry, error]) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		for e, err := range all {
			if err == nil && s.knows(e) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
