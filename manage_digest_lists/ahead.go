package main

import (
	"iter"

	"digestlists/parsers"
)

// Entries are read ahead in batches, so that reading and printing them have a processor each.
const (
	batchEntries = 512
	batchBytes   = 256 << 10 // a batch with this much in its slices is full before
	batches      = 3         // one for each side, and one between them
)

// entryBatch is consecutive entries that own their memory.
type entryBatch struct {
	entries []parsers.Entry
	data    []byte // what their slices refer to
	err     error  // after the entries
}

// ahead yields the same entries, which another goroutine reads. It has ended when the last
// entry has been yielded or yield has returned false.
func ahead(entries iter.Seq2[*parsers.Entry, error]) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		free, full, stop := make(chan *entryBatch, batches), make(chan *entryBatch, batches), make(chan struct{})
		for range batches {
			free <- new(entryBatch)
		}
		go func() {
			defer close(full)
			readAhead(entries, free, full, stop)
		}()
		defer func() {
			close(stop)
			for range full { // until the other has ended
			}
		}()
		for b := range full {
			for i := range b.entries {
				if !yield(&b.entries[i], nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			free <- b
		}
	}
}

// readAhead reads until the end, an error, or stop.
func readAhead(entries iter.Seq2[*parsers.Entry, error], free <-chan *entryBatch, full chan<- *entryBatch, stop <-chan struct{}) {
	b := <-free
	for e, err := range entries {
		if err != nil {
			b.err = err
			break
		}
		b.add(e)
		if len(b.entries) < batchEntries && len(b.data) < batchBytes {
			continue
		}
		full <- b
		select {
		case b = <-free:
			b.entries, b.data = b.entries[:0], b.data[:0]
		case <-stop:
			return
		}
	}
	full <- b
}

func (b *entryBatch) add(e *parsers.Entry) {
	b.entries = append(b.entries, *e)
	kept := &b.entries[len(b.entries)-1]
	for _, slice := range []*[]byte{&kept.Digest, &kept.EVMDigest, &kept.Signature, &kept.CapsValue, &kept.LabelValue} {
		if *slice == nil {
			continue
		}
		at := len(b.data)
		b.data = append(b.data, *slice...)
		*slice = b.data[at:len(b.data):len(b.data)]
	}
}
