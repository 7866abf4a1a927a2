package rpmdb

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
	"digestlists/parsers/rpmlist"
)

// Source makes an `rpm` list of each package of the RPM database that Input names in
// DB, or that Find finds under its Root. The pseudo-packages that hold keys are left
// out, and each package is checked against the digests of its header, where RPM has
// stored them.
type Source struct{}

// Lists implements parsers.Source. The order is that of DB.Headers.
func (Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		db, err := locate(in)
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		queue := start(ctx, db, in)
		defer func() {
			cancel()
			for range queue { // until all goroutines have ended
			}
		}()
		done := 0
		for j := range queue {
			<-j.ready
			if j.err != nil {
				yield(nil, j.err)
				return
			}
			if j.list != nil && !yield(j.list, nil) {
				return
			}
			if done++; in.Progress != nil {
				in.Progress(done)
			}
			j.free()
		}
	}
}

func locate(in parsers.Input) (*DB, error) {
	path := in.DB
	if path == "" {
		var err error
		if path, err = Find(in.Root); err != nil {
			return nil, err
		}
	}
	return Open(path)
}

// A job is one package on its way through the workers.
type job struct {
	blob  Blob
	buf   []byte        // the content of list is in it
	list  *parsers.List // nil for none
	err   error
	ready chan struct{}
}

// jobs keeps the buffers of headers for the next ones.
var jobs = sync.Pool{New: func() any { return &job{ready: make(chan struct{}, 1)} }}

// maxKept bytes of a buffer are kept: few packages have headers larger than that.
const maxKept = 1 << 20

func (j *job) free() {
	if max(cap(j.blob.Data), cap(j.buf)) <= maxKept {
		jobs.Put(j)
	}
}

// start reads the database and has in.Jobs workers make lists of it. The queue is in
// the order of the database, whichever worker is done first; it is closed when all
// goroutines have ended. The last job in it has the error, if there is one.
func start(ctx context.Context, db *DB, in parsers.Input) <-chan *job {
	workers := in.Jobs
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	queue, work := make(chan *job, workers), make(chan *job) // few: headers may be of many MiB
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for j := range work {
				j.list, j.err = j.makeList(db, in)
				j.ready <- struct{}{}
			}
		})
	}
	go func() {
		defer close(queue)
		defer running.Wait()
		defer close(work)
		for b, err := range db.Headers(ctx) {
			j := jobs.Get().(*job)
			j.blob = Blob{b.Number, append(j.blob.Data[:0], b.Data...)}
			j.list, j.err = nil, err
			if err != nil {
				j.ready <- struct{}{}
				queue <- j
				return
			}
			work <- j
			queue <- j
		}
	}()
	return queue
}

func (j *job) makeList(db *DB, in parsers.Input) (*parsers.List, error) {
	list, err := j.listOf(in)
	if err != nil {
		return nil, fmt.Errorf("%q: package %d: %w", db.Path, j.blob.Number, err)
	}
	return list, nil
}

// pubkeys is RPMTAG_PUBKEYS, which only the pseudo-packages of keys have.
const pubkeys = rpmhdr.Tag(266)

// listOf returns nil for a pseudo-package.
func (j *job) listOf(in parsers.Input) (*parsers.List, error) {
	s, err := rpmhdr.ParseStored(j.blob.Data, j.buf)
	if err != nil {
		return nil, err
	}
	j.buf = s.Signed
	if s.Legacy && (s.SHA256 != "" || s.SHA1 != "") {
		return nil, fmt.Errorf("%w: header digests, but no immutable region that they are of", ErrDamaged)
	}
	if err := verify(s); err != nil {
		return nil, err
	}
	if rpmlist.IsPubkey(s.Header) {
		return nil, nil
	}
	if s.Header.Has(pubkeys) {
		return nil, fmt.Errorf("%w: a key with the name of a package", ErrDamaged)
	}
	return rpmlist.List(rpmlist.Package{Content: s.Signed, Vendor: s.Signatures, FileSignatures: s.Header}, in)
}

// verify checks a header against the stronger digest that RPM has stored of it.
func verify(s *rpmhdr.Stored) error {
	if s.SHA256 != "" {
		return rpmhdr.VerifyDigest(s.Region, s.SHA256, "")
	}
	return s.Verify()
}
