package rpmdb

import (
	"context"
	"iter"
	"sync"
)

// A batch is some packages that one worker makes lists of: to hand them over one by
// one takes a good part of the time that the lists do.
type batch struct {
	jobs  []*job
	size  int // bytes of their headers
	ready chan struct{}
}

const (
	batchJobs = 4
	batchSize = 64 << 10
	maxKept   = 1 << 20 // bytes of a buffer that are kept: few headers are larger
)

// batches and jobs keep the buffers of headers for the next ones.
var (
	batches = sync.Pool{New: func() any { return &batch{ready: make(chan struct{}, 1)} }}
	jobs    = sync.Pool{New: func() any { return new(job) }}
)

// read yields the headers of the database in batches; the last job of the last one
// has the error, if there is one.
func read(ctx context.Context, db *DB) iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		b := batches.Get().(*batch)
		for blob, err := range db.Headers(ctx) {
			b.add(blob, err)
			if b.full() {
				if !yield(b) {
					return
				}
				b = batches.Get().(*batch)
			}
		}
		yield(b)
	}
}

// add copies the header, which is valid until the next one.
func (b *batch) add(blob Blob, err error) {
	j := jobs.Get().(*job)
	j.blob = Blob{blob.Number, append(j.blob.Data[:0], blob.Data...)}
	j.list, j.err = nil, err
	b.jobs = append(b.jobs, j)
	b.size += len(blob.Data)
}

func (b *batch) full() bool { return len(b.jobs) >= batchJobs || b.size >= batchSize }

func (b *batch) free() {
	for _, j := range b.jobs {
		if max(cap(j.blob.Data), cap(j.buf)) <= maxKept {
			jobs.Put(j)
		}
	}
	clear(b.jobs)
	b.jobs, b.size = b.jobs[:0], 0
	batches.Put(b)
}
