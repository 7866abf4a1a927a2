package main

import (
	"fmt"
	"slices"
	"strings"

	"digestlists/compact"
	"digestlists/internal/kerneltable"
)

// judge says what a kernel does. It measures with every list that it is given, and appraises
// with those that are signed.
func (ex *explanation) judge() {
	if ex.Known == nil {
		ex.Known = []fact{}
	}
	if ex.Others == nil {
		ex.Others = []fact{}
	}
	ex.Measure = measureText(ex.loaded(func(fact) bool { return true }))
	signed := ex.loaded(fact.counts)
	ex.Appraise = appraiseText(signed, len(ex.Known) > 0)
}

// loaded returns what the kernel has of the digests once it has loaded the lists.
func (ex *explanation) loaded(takes func(fact) bool) (all []kerneltable.Entry) {
	table := newTable()
	for _, f := range ex.Known {
		if takes(f) {
			table.AddDigest(f.digest)
		}
	}
	for e := range table.All() {
		all = append(all, e)
	}
	return all
}

// measureText is about ima_digest_list_pcr=: only digests of type file keep a file out of
// the list, and only in the algorithm that the file is hashed with.
func measureText(loaded []kerneltable.Entry) []string {
	algorithms := algorithmsOf(loaded, compact.TypeFile)
	var text []string
	if algorithms == "" {
		text = append(text, "an entry in the digest list PCR: no list has it as the digest of a file")
	} else {
		text = append(text, fmt.Sprintf("no entry in the digest list PCR, if the file is hashed with %s (ima_hash=, or that of its security.ima)", algorithms))
	}
	if algorithmsOf(loaded, compact.TypeParser) != "" {
		text = append(text, "the program may upload lists as data, once it was measured")
	}
	return text
}

func algorithmsOf(loaded []kerneltable.Entry, typ compact.Type) string {
	var names []string
	for _, e := range loaded {
		if e.Type == typ && !slices.Contains(names, e.Algorithm.String()) {
			names = append(names, e.Algorithm.String())
		}
	}
	return strings.Join(names, " or ")
}

// appraiseText is about ima_appraise_digest_list=, under a policy that appraises what is
// executed.
func appraiseText(loaded []kerneltable.Entry, known bool) []string {
	file, immutable, metadata := false, false, false
	for _, e := range loaded {
		switch e.Type {
		case compact.TypeFile:
			file = true
			immutable = immutable || e.Modifiers&compact.Immutable != 0
		case compact.TypeMetadata:
			metadata = true
		}
	}
	var text []string
	switch {
	case immutable:
		text = append(text, "it may be executed, and opening it for writing is refused: listed as immutable")
	case file:
		text = append(text, "executing it is refused: listed, but not as immutable", "it may be written to, and its security.ima becomes type 6")
	case known:
		text = append(text, "executing it is refused: no list that has it as the digest of a file is signed by a known key")
	default:
		text = append(text, "executing it is refused: in no list")
	}
	if metadata {
		return append(text, "a list has the digest of its metadata")
	}
	return append(text, "with an EVM key, and without digest-nometadata, it is refused: no signed list has the digest of its metadata")
}
