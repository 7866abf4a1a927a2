package filesig

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"digestlists/internal/inroot"
)

// window is how many files may be between the source and the consumer: as many as a large
// one may keep waiting.
const window = 1024

// A job is one file on its way through the workers.
type job struct {
	file   File
	result Result
	err    error // of the source
	ready  chan struct{}
}

// each has the workers do something with each file, and yields the results in order.
func (r *Runner) each(ctx context.Context, files iter.Seq2[*File, error], do func(*worker, *File, *Result)) iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		queue := r.start(ctx, files, do)
		defer func() {
			cancel()
			for range queue { // until all goroutines have ended
			}
		}()
		for j := range queue {
			<-j.ready
			if j.err != nil {
				yield(nil, j.err)
				return
			}
			if !yield(&j.result, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// start returns the jobs in the order of files, whichever worker is done first. The channel
// is closed when all goroutines have ended.
func (r *Runner) start(ctx context.Context, files iter.Seq2[*File, error], do func(*worker, *File, *Result)) <-chan *job {
	queue, work := make(chan *job, window), make(chan *job, window)
	var running sync.WaitGroup
	jobs := r.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	for range jobs {
		running.Go(func() {
			w := &worker{Runner: r, ctx: ctx, opener: inroot.Opener{Root: r.Root}}
			defer w.opener.Close()
			for j := range work {
				do(w, &j.file, &j.result)
				j.ready <- struct{}{}
			}
		})
	}
	go func() {
		defer close(queue)
		defer running.Wait()
		defer close(work)
		feed(ctx, files, queue, work)
	}()
	return queue
}

// feed makes a job of each file.
func feed(ctx context.Context, files iter.Seq2[*File, error], queue, work chan<- *job) {
	for f, err := range files {
		j := &job{err: err, ready: make(chan struct{}, 1)}
		if err != nil {
			j.ready <- struct{}{}
		} else {
			j.file, j.result.Path = *f, f.Path
			work <- j
		}
		select {
		case queue <- j:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
