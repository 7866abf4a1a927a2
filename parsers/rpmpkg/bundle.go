package rpmpkg

import (
	"context"
	"iter"
	"slices"
	"sync"

	"digestlists/parsers"
)

// A bundle is some packages that one goroutine reads: to hand them over one by one
// takes longer than to read them.
type bundle struct {
	files  []file
	fronts [bundleSize]front // memory to read into
	lists  []*parsers.List   // of the files before the one with the error
	err    error
	done   chan struct{} // receives once when the lists are there
}

const bundleSize = 8

// bundles keeps the memory of bundles that nobody looks at any more.
var bundles = sync.Pool{New: func() any { return &bundle{done: make(chan struct{}, 1)} }}

// ordered yields the lists of files in the order of the files, which several
// goroutines read. It stops after the first error.
//
// It does not wait for what is still being read when the caller stops: that may be
// standard input.
func (s Source) ordered(ctx context.Context, files []file, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		for b := range s.start(ctx, files, in) {
			if !b.yield(ctx, yield) {
				return
			}
			b.free()
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// start has all files read and sends their bundles in the order of the files. At
// most in.Jobs bundles are being read, or are read and not received, at a time.
func (s Source) start(ctx context.Context, files []file, in parsers.Input) <-chan *bundle {
	queue := make(chan *bundle, workers(in.Jobs)-1)
	go func() {
		defer close(queue)
		for some := range slices.Chunk(files, bundleSize) {
			b := bundles.Get().(*bundle)
			b.files = some
			select {
			case queue <- b:
				go b.read(s, in)
			case <-ctx.Done():
				return
			}
		}
	}()
	return queue
}

func (b *bundle) read(s Source, in parsers.Input) {
	b.lists, b.err = b.lists[:0], nil
	for i, f := range b.files {
		list, err := s.list(f, in, &b.fronts[i])
		if err != nil {
			b.err = err
			break
		}
		b.lists = append(b.lists, list)
	}
	b.done <- struct{}{}
}

// yield waits for the lists and yields them. It returns false if nothing is to come
// after them.
func (b *bundle) yield(ctx context.Context, yield func(*parsers.List, error) bool) bool {
	select {
	case <-b.done:
	case <-ctx.Done():
		yield(nil, ctx.Err())
		return false
	}
	for _, list := range b.lists {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return false
		}
		if !yield(list, nil) {
			return false
		}
	}
	if b.err != nil {
		yield(nil, b.err)
	}
	return b.err == nil
}

// free lets the memory be used again, but for what few packages need.
func (b *bundle) free() {
	for i := range b.fronts {
		if cap(b.fronts[i].data) > nextRead {
			b.fronts[i] = front{}
		}
	}
	clear(b.lists)
	bundles.Put(b)
}
