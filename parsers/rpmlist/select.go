package rpmlist

import (
	"iter"

	"digestlists/parsers"
)

// selected yields the entries that keep is true for, all of them if it is nil.
func selected(all iter.Seq2[*parsers.Entry, error], keep func(*parsers.Entry) bool) iter.Seq2[*parsers.Entry, error] {
	if keep == nil {
		return all
	}
	return func(yield func(*parsers.Entry, error) bool) {
		for e, err := range all {
			if err == nil && !keep(e) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
