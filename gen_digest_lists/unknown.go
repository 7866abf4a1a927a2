package main

import (
	"context"
	"iter"
	"time"

	"digestlists/parsers"
	"digestlists/parsers/tree"
)

// unknownSource yields the files of a tree. Those that lists know are left out once
// their metadata are complete, by which they may be known.
type unknownSource struct{}

// Lists implements [parsers.Source], with one list named after the time.
func (unknownSource) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		for list, err := range (tree.Source{}).Lists(ctx, in) {
			if err == nil {
				list.Name = time.Now().Format("20060102_150405")
			}
			if !yield(list, err) {
				return
			}
		}
	}
}
