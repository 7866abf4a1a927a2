package ascii

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/regular"
	"digestlists/parsers"
)

// Source makes one list of checksum files. It implements parsers.Source.
//
// The list has the name of the first file and holds entries only, with the paths that are
// written in the files. Each file has one algorithm, told as by Parser; Input.Algorithm
// does not matter. If Forced is set, it is Force.
type Source struct {
	Force  compact.Algorithm
	Forced bool
}

var _ parsers.Source = Source{}

// maxFile bounds a checksum file, in bytes: what is made of it is in memory.
const maxFile = 1 << 30

// Lists yields the one list.
func (s Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	if len(in.Paths) == 0 {
		return parsers.Fail[parsers.List](errors.New("no checksum files given"))
	}
	return func(yield func(*parsers.List, error) bool) {
		yield(&parsers.List{
			Name:    filepath.Base(in.Paths[0]),
			Entries: func(yield func(*parsers.Entry, error) bool) { s.entries(ctx, in, yield) },
		}, nil)
	}
}

func (s Source) entries(ctx context.Context, in parsers.Input, yield func(*parsers.Entry, error) bool) {
	done := 0
	counted := func(e *parsers.Entry, err error) bool {
		if done++; in.Progress != nil && done%1024 == 0 {
			in.Progress(done)
		}
		return yield(e, err)
	}
	for _, path := range in.Paths {
		if !s.file(ctx, path, in, counted) {
			return
		}
	}
}

// file yields the entries of one file as it reads them, and reports whether more are wanted.
func (s Source) file(ctx context.Context, path string, in parsers.Input, yield func(*parsers.Entry, error) bool) bool {
	f, err := regular.OpenLimited(path, 0, maxFile)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer f.Close()
	opts := parsers.Options{Type: in.Type, Generation: in.Generation, Want: parsers.FieldPath}
	for e, err := range Parser(s).Stream(f, opts) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", path, err))
			return false
		}
		if in.Select != nil && !in.Select(e) {
			continue
		}
		if !yield(e, nil) {
			return false
		}
	}
	return true
}
