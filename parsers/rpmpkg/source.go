package rpmpkg

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"

	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
)

// stdin is the path that stands for standard input.
const stdin = "-"

// Source makes a list of each package file in Input.Paths: files, folders, which
// are searched for files that end in .rpm, and "-" for one package on standard
// input. Lists come in the order of the paths, and of the names inside a folder.
type Source struct {
	Stdin io.Reader // nil means os.Stdin
}

var _ parsers.Source = Source{}

// Lists implements parsers.Source. Paths are those of this host, whatever the root.
func (s Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		files, err := collect(in.Paths)
		if err != nil {
			yield(nil, err)
			return
		}
		done := 0
		for list, err := range s.ordered(ctx, files, in) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(list, nil) {
				return
			}
			done++
			if in.Progress != nil {
				in.Progress(done)
			}
		}
	}
}

func workers(jobs int) int {
	if jobs > 0 {
		return jobs
	}
	return runtime.GOMAXPROCS(0)
}

// list makes the list of a file in the memory of a front.
func (s Source) list(f file, in parsers.Input, front *front) (*parsers.List, error) {
	r, err := s.open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p, err := front.read(r)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.path, err)
	}
	list, err := rpmlist.List(*p, in)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.path, err)
	}
	if p.FileSignatures != nil {
		front.data = nil // the entries refer to it
	}
	return list, nil
}

func (s Source) open(f file) (io.ReadCloser, error) {
	if f.path != stdin {
		return f.open()
	}
	if s.Stdin != nil {
		return io.NopCloser(s.Stdin), nil
	}
	return io.NopCloser(os.Stdin), nil
}
