package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/parsers"
)

// Parser runs an executable parser-NAME. It implements parsers.Parser.
type Parser struct {
	Path   string
	Limits Limits
}

var _ parsers.Parser = (*Parser)(nil)

// Parse hands the list to the plug-in and yields the digests that it gives back.
func (p *Parser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		c := command{
			path:   p.Path,
			env:    []string{"DIGEST_LIST_TYPE=" + opts.Type.String()},
			stdin:  list,
			limits: p.Limits,
		}
		c.entries(context.Background(), opts.Type, yield)
	}
}

// Source runs an executable generator-NAME. It implements parsers.Source.
type Source struct {
	Path   string
	Limits Limits
}

var _ parsers.Source = (*Source)(nil)

// Lists yields one list of entries, named after the first input, or after the format if
// there is none. The plug-in runs when the entries are asked for. They have no
// paths: Input.Select sees a digest and a type.
func (s *Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		root := in.Root
		if root == "" {
			root = "/"
		}
		root, err := filepath.Abs(root)
		if err != nil {
			yield(nil, err)
			return
		}
		c := command{
			path: s.Path,
			args: in.Paths,
			env: []string{
				"DIGEST_LIST_TYPE=" + in.Type.String(),
				"DIGEST_LIST_ALGORITHM=" + in.Algorithm.String(),
				"DIGEST_LIST_ROOT=" + root,
			},
			limits: s.Limits,
		}
		yield(&parsers.List{
			Name: s.listName(in.Paths),
			Entries: func(yield func(*parsers.Entry, error) bool) {
				c.entries(ctx, in.Type, func(e *parsers.Entry, err error) bool {
					if err == nil && in.Select != nil && !in.Select(e) {
						return true
					}
					return yield(e, err)
				})
			},
		}, nil)
	}
}

func (s *Source) listName(inputs []string) string {
	if len(inputs) > 0 && strings.Trim(inputs[0], "/.") != "" {
		return filepath.Base(inputs[0])
	}
	return strings.TrimPrefix(filepath.Base(s.Path), generatorPrefix)
}

// entries runs the plug-in, checks its output and yields the digests.
func (c *command) entries(ctx context.Context, want compact.Type, yield func(*parsers.Entry, error) bool) {
	list, err := c.run(ctx)
	if err == nil {
		if err = checkOutput(list, want); err != nil {
			err = fmt.Errorf("%s: output: %w", c.path, err)
		}
	}
	if err != nil {
		yield(nil, err)
		return
	}
	var e parsers.Entry
	for d, err := range compact.NewReader(bytes.NewReader(list)).Digests() {
		if err != nil {
			yield(nil, err)
			return
		}
		e.Type, e.Modifiers, e.Algorithm, e.Digest = d.Type, d.Modifiers, d.Algorithm, d.Sum
		if !yield(&e, nil) {
			return
		}
	}
}

// checkOutput holds a list against the rules of the kernel, and some of our own: only
// the type that was asked for, since a parser or key that slips into a list of files
// is trusted with more than files are, and only modifiers that have a meaning.
func checkOutput(list []byte, want compact.Type) error {
	if len(list) == 0 {
		return errors.New("nothing, want a compact list, or a header with a count of 0 for no digests")
	}
	if _, err := compact.Check(bytes.NewReader(list)); err != nil {
		return err
	}
	r := compact.NewReader(bytes.NewReader(list))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Type != want {
			return fmt.Errorf("%w: %s, want %s", compact.ErrUnsupportedType, h.Type, want)
		}
		if h.Modifiers&^compact.Immutable != 0 {
			return fmt.Errorf("%w: %s, want immutable or none", compact.ErrUnsupportedModifier, h.Modifiers)
		}
	}
}
