package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"testing"

	"digestlists/parsers"

	"github.com/google/go-cmp/cmp"
)

// numbered yields n entries in the same memory, and then an error, if there is one.
func numbered(n int, failure error) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		e := parsers.Entry{Digest: make([]byte, 8), Signature: make([]byte, 700)}
		for i := range n {
			binary.LittleEndian.PutUint64(e.Digest, uint64(i))
			binary.LittleEndian.PutUint64(e.Signature, uint64(i*i))
			e.Path, e.EVMDigest = fmt.Sprint("/", i), nil
			if i%3 == 0 {
				e.EVMDigest = e.Digest[:4]
			}
			if !yield(&e, nil) {
				return
			}
		}
		if failure != nil {
			yield(nil, failure)
		}
	}
}

// TestAhead: the entries are those that were read, in order, with an error at their end.
func TestAhead(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{0, 1, batchEntries, 5*batchEntries + 1} {
		want, _ := parsers.Collect(numbered(n, nil))
		got, err := parsers.Collect(ahead(numbered(n, nil)))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%d entries: %v\n%s", n, err, diff)
		}
		seen := 0
		for e, err := range ahead(numbered(n, broken)) {
			if err != nil {
				if err != broken || e != nil || seen != n {
					t.Errorf("%v, %v after %d of %d entries", e, err, seen, n)
				}
				seen = -1
				break
			}
			seen++
		}
		if seen != -1 {
			t.Errorf("no error after %d entries", n)
		}
	}
}

// TestAheadStops: who stops early waits until nothing is read any more.
func TestAheadStops(t *testing.T) {
	for _, stop := range []int{1, batchEntries, batchEntries + 1} {
		ended := false
		source := func(yield func(*parsers.Entry, error) bool) {
			defer func() { ended = true }()
			numbered(100*batchEntries, nil)(yield)
		}
		seen := 0
		for range ahead(source) {
			if seen++; seen == stop {
				break
			}
		}
		if !ended {
			t.Errorf("after %d entries, the source goes on", stop)
		}
	}
}
