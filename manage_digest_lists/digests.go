package main

import (
	"digestlists/compact"
	"digestlists/internal/kerneltable"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// eachDigest calls visit with every digest that the kernel would get from a list, until it
// returns false: with those of contents, and with those of metadata.
func (l *lists) eachDigest(list listdir.List, visit func(d compact.Digest, e *parsers.Entry) bool) error {
	if list.Type == compact.TypeKey {
		return nil
	}
	for e, err := range l.loadable(list) {
		if err != nil {
			return err
		}
		for _, d := range digestsOf(list, e) {
			if d.Sum != nil && !visit(d, e) {
				return nil
			}
		}
	}
	return nil
}

// digestsOf returns the digests of content and metadata; Sum is nil where there is none.
func digestsOf(list listdir.List, e *parsers.Entry) [2]compact.Digest {
	block, sum, _ := contentDigest(list, e) // which has no error
	metadata := compact.Digest{Block: block, Sum: e.EVMDigest}
	metadata.Type = compact.TypeMetadata
	if onlyMetadata(list, e) {
		metadata.Sum = e.Digest
	}
	return [2]compact.Digest{{Block: block, Sum: sum}, metadata}
}

// newTable returns a table that has room for everything.
func newTable() *kerneltable.Table {
	return kerneltable.New(kerneltable.Limits{Budget: 1 << 62, LastAlgorithm: compact.SHA3_512})
}
