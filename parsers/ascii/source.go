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

// maxFile bounds a checksum file, in bytes: it is in memory while it is read.
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
	opts := parsers.Options{Type: in.Type, Generation: in.Generation, Want: parsers.FieldPath}
	done := 0
	for _, path := range in.Paths {
		list, err := regular.ReadFile(path, 0, maxFile)
		if err != nil {
			yield(nil, err)
			return
		}
		for e, err := range Parser(s).Parse(list, opts) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, fmt.Errorf("%s: %w", path, err))
				return
			}
			if in.Select != nil && !in.Select(e) {
				continue
			}
			if !yield(e, nil) {
				return
			}
			if done++; in.Progress != nil && done%1024 == 0 {
				in.Progress(done)
			}
		}
	}
}
