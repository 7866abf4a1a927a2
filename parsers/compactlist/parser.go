// Package compactlist parses the list formats `compact` and `compact_tlv` into
// entries. The formats themselves are in package compact.
package compactlist

import (
	"bytes"
	"io"
	"iter"

	"digestlists/compact"
	"digestlists/parsers"
)

// Parser parses compact lists. Type and modifiers of an entry are those of its
// block, whatever the list's name says.
type Parser struct{}

// Parse implements [parsers.Parser].
func (Parser) Parse(list []byte, _ parsers.Options) iter.Seq2[*parsers.Entry, error] {
	if _, err := compact.Check(bytes.NewReader(list)); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return func(yield func(*parsers.Entry, error) bool) {
		var e parsers.Entry
		for d, err := range compact.NewReader(bytes.NewReader(list)).Digests() {
			if err != nil {
				yield(nil, err)
				return
			}
			e = parsers.Entry{Digest: d.Sum, Algorithm: d.Algorithm, Type: d.Type, Modifiers: d.Modifiers}
			if !yield(&e, nil) {
				return
			}
		}
	}
}

// TLVParser parses compact_tlv lists.
type TLVParser struct{}

// Parse implements [parsers.Parser].
func (TLVParser) Parse(list []byte, _ parsers.Options) iter.Seq2[*parsers.Entry, error] {
	if len(list) == 0 {
		return parsers.Fail[parsers.Entry](&compact.FormatError{Field: "header", Err: compact.ErrTruncated})
	}
	if err := eachRecord(list, func(*parsers.Entry) bool { return true }); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return func(yield func(*parsers.Entry, error) bool) {
		if err := eachRecord(list, func(e *parsers.Entry) bool { return yield(e, nil) }); err != nil {
			yield(nil, err)
		}
	}
}

func eachRecord(list []byte, visit func(*parsers.Entry) bool) error {
	r := compact.NewTLVReader(bytes.NewReader(list))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for {
			rec, err := r.Record()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if !visit(entry(h.Block, rec)) {
				return nil
			}
		}
	}
}

func entry(b compact.Block, r *compact.Record) *parsers.Entry {
	e := &parsers.Entry{
		Digest: r.Digest, EVMDigest: r.EVMDigest,
		Algorithm: b.Algorithm, Type: b.Type, Modifiers: b.Modifiers,
		Path: r.Path, Mode: uint16(r.Mode), Size: int64(r.Size), UID: r.UID, GID: r.GID,
		Caps: r.Caps, Label: r.Label,
	}
	e.Known = known(parsers.FieldPath, r.Path != "") |
		known(parsers.FieldMode, r.HasMode()) |
		known(parsers.FieldSize, r.HasSize()) |
		known(parsers.FieldIDs, r.HasOwner()) |
		known(parsers.FieldCaps, r.Caps != "") |
		known(parsers.FieldLabel, r.Label != "") |
		known(parsers.FieldEVMDigest, r.EVMDigest != nil)
	return e
}

func known(field parsers.Fields, is bool) parsers.Fields {
	if is {
		return field
	}
	return 0
}
