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
		for b := range queue {
			<-b.ready
			for _, j := range b.jobs {
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
			}
			b.free()
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
	blob Blob
	buf  []byte        // the content of list is in it
	list *parsers.List // nil for none
	err  error
}

// start reads the database and has in.Jobs workers make lists of it. The queue is in
// the order of the database, whichever worker is done first; it is closed when all
// goroutines have ended. The last job in it has the error, if there is one.
func start(ctx context.Context, db *DB, in parsers.Input) <-chan *batch {
	workers := in.Jobs
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	queue, work := make(chan *batch, workers), make(chan *batch) // few: headers may be of many MiB
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for b := range work {
				for _, j := range b.jobs {
					j.makeList(db, in)
				}
				b.ready <- struct{}{}
			}
		})
	}
	go func() {
		defer close(queue)
		defer running.Wait()
		defer close(work)
		for b := range read(ctx, db) {
			work <- b
			queue <- b
		}
	}()
	return queue
}

// makeList leaves a job alone that has failed already.
func (j *job) makeList(db *DB, in parsers.Input) {
	if j.err != nil {
		return
	}
	if j.list, j.err = j.listOf(in); j.err != nil {
		j.err = fmt.Errorf("%q: package %d: %w", db.Path, j.blob.Number, j.err)
	}
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
