package main

import (
	"context"
	"iter"
	"time"

	"digestlists/internal/command"
	"digestlists/internal/known"
	"digestlists/parsers"
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
		lists, err := known.Read(s.known)
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
			list.Entries = lists.Without(list.Entries)
			if !yield(list, nil) {
				return
			}
		}
	}
}
