package main

import (
	"context"
	"iter"

	"digestlists/internal/evm"
	"digestlists/parsers"
	"digestlists/parsers/tree"
)

// recordSource lists the files of records, with what these say of them.
type recordSource struct {
	records []record
}

// Lists implements [parsers.Source], with one list. Input.Paths are those of the records.
func (s recordSource) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	keep := in.Select
	in.Select = nil // a record may change the mode
	return func(yield func(*parsers.List, error) bool) {
		for list, err := range (tree.Source{}).Lists(ctx, in) {
			if err == nil {
				list.Entries = s.entries(list.Entries, keep)
			}
			if !yield(list, err) {
				return
			}
		}
	}
}

// entries changes what the files are: the tree yields one for each record, in order.
func (s recordSource) entries(files iter.Seq2[*parsers.Entry, error], keep func(*parsers.Entry) bool) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		next := 0
		for e, err := range files {
			if err != nil {
				yield(nil, err)
				return
			}
			s.records[next].apply(e)
			next++
			if keep != nil && !keep(e) {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// apply sets what the record says in an entry, which the source uses again.
func (rec *record) apply(e *parsers.Entry) {
	e.Algorithm = rec.algorithm
	if rec.digest != nil {
		e.Digest = rec.digest
	}
	if rec.mode != nil {
		e.Mode = *rec.mode
	}
	if rec.uid != nil {
		e.UID = *rec.uid
	}
	if rec.gid != nil {
		e.GID = *rec.gid
	}
	if rec.caps != nil {
		e.Caps, e.CapsValue = *rec.caps, nil
	}
	if rec.label != nil {
		e.LabelValue = evm.Label(*rec.label)
		e.Known |= parsers.FieldLabel
	}
}
