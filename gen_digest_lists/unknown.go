package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/tree"
)

// unknownSource yields the files of a tree that no list of a directory knows.
type unknownSource struct {
	known string // directory of lists
}

// Lists implements [parsers.Source], with one list named after the time.
func (s unknownSource) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	if s.known == "" {
		return parsers.Fail[parsers.List](command.Usagef("-f unknown needs the directory of known lists (-i D:DIR)"))
	}
	return func(yield func(*parsers.List, error) bool) {
		known, err := readDigests(s.known)
		if err != nil {
			yield(nil, err)
			return
		}
		for list, err := range (tree.Source{}).Lists(ctx, in) {
			if err != nil {
				yield(nil, err)
				return
			}
			list.Name = time.Now().Format("20060102_150405")
			list.Entries = known.without(list.Entries)
			if !yield(list, nil) {
				return
			}
		}
	}
}

// digestSet holds the digests of files that lists know.
type digestSet map[digestKey]struct{}

type digestKey struct {
	algorithm compact.Algorithm
	sum       string
}

// readDigests reads every list of a directory. One that cannot be read is an
// error: its files would all be taken for unknown.
func readDigests(path string) (digestSet, error) {
	dir, err := listdir.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	known := make(digestSet)
	reg := formats.Lists()
	for _, l := range dir.Lists() {
		if l.Type != compact.TypeFile && l.Type != compact.TypeMetadata {
			continue
		}
		content, err := dir.ReadInto(l.File, nil)
		if err != nil {
			return nil, err
		}
		if err := known.add(decode.Entries(reg, l.Name, content, parsers.Options{})); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", path, l.File, err)
		}
	}
	return known, nil
}

// add adds the digests of files; those of metadata say nothing of the content.
func (k digestSet) add(entries iter.Seq2[*parsers.Entry, error]) error {
	for e, err := range entries {
		if err != nil {
			return err
		}
		if e.Type == compact.TypeFile {
			k[digestKey{e.Algorithm, string(e.Digest)}] = struct{}{}
		}
	}
	return nil
}

// without leaves out entries that are known.
func (k digestSet) without(all iter.Seq2[*parsers.Entry, error]) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		for e, err := range all {
			if err == nil {
				if _, known := k[digestKey{e.Algorithm, string(e.Digest)}]; known {
					continue
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
