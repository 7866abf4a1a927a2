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

// The names of the formats in names of lists.
const (
	Format    = "compact" // the one format that the kernel reads itself
	TLVFormat = "compact_tlv"
)

// Parser parses compact lists. Type and modifiers of an entry are those of its
// block, whatever the list's name says.
type Parser struct{}

var _, _ parsers.Streamer = Parser{}, TLVParser{}

// Parse implements [parsers.Parser].
func (p Parser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	if err := p.Check(bytes.NewReader(list), opts); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return p.Stream(bytes.NewReader(list), opts)
}

// Check implements [parsers.Streamer].
func (Parser) Check(list io.Reader, _ parsers.Options) error {
	_, err := compact.Check(list)
	return err
}

// Stream implements [parsers.Streamer].
func (Parser) Stream(list io.Reader, _ parsers.Options) iter.Seq2[*parsers.Entry, error] {
	r := compact.NewReader(list)
	return entries(r.Next, r.Digest, func(e *parsers.Entry, b compact.Block, sum []byte) {
		*e = parsers.Entry{Digest: sum, Algorithm: b.Algorithm, Type: b.Type, Modifiers: b.Modifiers}
	})
}

// TLVParser parses compact_tlv lists. In those of type metadata, the digest of a
// record is still one of the file's content, and entries say so: the digest of the
// metadata is the other one.
type TLVParser struct{}

// Parse implements [parsers.Parser].
func (p TLVParser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	if err := p.Check(bytes.NewReader(list), opts); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return p.Stream(bytes.NewReader(list), opts)
}

// Check implements [parsers.Streamer].
func (TLVParser) Check(list io.Reader, _ parsers.Options) error {
	_, err := compact.CheckTLV(list)
	return err
}

// Stream implements [parsers.Streamer].
func (TLVParser) Stream(list io.Reader, _ parsers.Options) iter.Seq2[*parsers.Entry, error] {
	r := compact.NewTLVReader(list)
	return entries(r.Next, r.Record, fill)
}

// entries yields the items of all blocks. A list has at least one block.
func entries[T any](next func() (compact.Header, error), item func() (T, error), fill func(*parsers.Entry, compact.Block, T)) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		h, err := next()
		if err == io.EOF {
			err = &compact.FormatError{Field: "header", Err: compact.ErrTruncated}
		}
		var e parsers.Entry
		for ; err == nil; h, err = next() {
			for t, err := item(); err == nil; t, err = item() { // next repeats an error
				fill(&e, h.Block, t)
				if !yield(&e, nil) {
					return
				}
			}
		}
		if err != io.EOF {
			yield(nil, err)
		}
	}
}

func fill(e *parsers.Entry, b compact.Block, r *compact.Record) {
	*e = parsers.Entry{
		Digest: r.Digest, EVMDigest: r.EVMDigest,
		Algorithm: b.Algorithm, Type: b.Type, Modifiers: b.Modifiers,
		Path: r.Path, Mode: uint16(r.Mode), Size: int64(r.Size), UID: r.UID, GID: r.GID,
		Caps: r.Caps, Label: r.Label,
	}
	if e.Type == compact.TypeMetadata {
		e.Type = compact.TypeFile
	}
	e.Known = known(parsers.FieldPath, r.Path != "") |
		known(parsers.FieldMode, r.HasMode()) |
		known(parsers.FieldSize, r.HasSize()) |
		known(parsers.FieldIDs, r.HasOwner()) |
		known(parsers.FieldCaps, r.Caps != "") |
		known(parsers.FieldLabel, r.Label != "") |
		known(parsers.FieldEVMDigest, r.EVMDigest != nil)
}

func known(field parsers.Fields, is bool) parsers.Fields {
	if is {
		return field
	}
	return 0
}
