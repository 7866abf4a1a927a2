package rpmpkg

import (
	"context"
	"iter"
)

type outcome[R any] struct {
	result R
	err    error
}

// ordered calls do for each job and yields the results in the order of the jobs.
// At most that many calls run, or have results waiting, at a time. It stops
// after the first error.
//
// It does not wait for calls still running when the caller stops: one may be
// waiting for standard input.
func ordered[J, R any](ctx context.Context, workers int, jobs []J, do func(J) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		for pending := range start(ctx, workers, jobs, do) {
			var o outcome[R]
			select {
			case o = <-pending:
			case <-ctx.Done():
				o.err = ctx.Err()
			}
			if !yield(o.result, o.err) || o.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none R
			yield(none, err)
		}
	}
}

// start begins the calls and sends a channel for each result, in the order of the
// jobs. The channel of channels holds the work that nobody has asked for yet.
func start[J, R any](ctx context.Context, workers int, jobs []J, do func(J) (R, error)) <-chan chan outcome[R] {
	queue := make(chan chan outcome[R], workers-1)
	go func() {
		defer close(queue)
		for _, job := range jobs {
			pending := make(chan outcome[R], 1)
			select {
			case queue <- pending:
			case <-ctx.Done():
				return
			}
			go func() {
				result, err := do(job)
				pending <- outcome[R]{result, err}
			}()
		}
	}()
	return queue
}
