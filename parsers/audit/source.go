package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/packed"
	"digestlists/internal/regular"
	"digestlists/parsers"
)

// Source makes one list of the files that audit logs tell of, each digest of a path once.
// It implements parsers.Source.
//
// The list has the name of the first log, which may be compressed with gzip or zstd. Only
// what a rule of the policy has audited is in it: nothing else has a digest. It is an error
// if there is none.
type Source struct{}

var _ parsers.Source = Source{}

// Lists yields the one list.
func (Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	if len(in.Paths) == 0 {
		return parsers.Fail[parsers.List](errors.New("no audit logs given"))
	}
	return func(yield func(*parsers.List, error) bool) {
		yield(&parsers.List{
			Name: filepath.Base(in.Paths[0]),
			Entries: func(yield func(*parsers.Entry, error) bool) {
				c := collector{ctx: ctx, in: in, yield: yield, seen: make(map[file]bool)}
				if err := c.addAll(); err != nil {
					yield(nil, err)
				}
			},
		}, nil)
	}
}

// file is what of a file is in the list.
type file struct {
	path, digest string
	algorithm    compact.Algorithm
}

// collector gathers the files of several logs.
type collector struct {
	ctx   context.Context
	in    parsers.Input
	yield func(*parsers.Entry, error) bool
	entry parsers.Entry
	seen  map[file]bool
}

// errStop says that the receiver wants no more.
var errStop = errors.New("stop")

func (c *collector) addAll() error {
	c.entry = parsers.Entry{Type: c.in.Type, Known: parsers.FieldPath}
	for _, path := range c.in.Paths {
		err := c.addLog(path)
		if errors.Is(err, errStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if len(c.seen) == 0 {
		return fmt.Errorf("%s: %w: no record of an audited file", c.in.Paths[0], compact.ErrMalformed)
	}
	return nil
}

func (c *collector) addLog(path string) error {
	f, err := regular.Open(path, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	plain, done, err := packed.NewReader(f)
	defer done()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	records := NewReader(plain)
	for {
		r, err := records.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if r.Type != Rule {
			continue
		}
		if err := c.add(r); err != nil {
			return err
		}
	}
}

func (c *collector) add(r *Record) error {
	key := file{r.Path, string(r.Digest), r.Algorithm}
	if c.seen[key] {
		return nil
	}
	c.seen[key] = true
	c.entry.Path, c.entry.Digest, c.entry.Algorithm = r.Path, r.Digest, r.Algorithm
	if c.in.Select != nil && !c.in.Select(&c.entry) {
		return nil
	}
	if !c.yield(&c.entry, nil) {
		return errStop
	}
	if n := len(c.seen); c.in.Progress != nil && n%1024 == 0 {
		c.in.Progress(n)
	}
	return nil
}
