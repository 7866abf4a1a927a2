package imalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"digestlists/compact"
	"digestlists/parsers"
)

// DefaultPath is the list of the running kernel, under Input.Root.
const DefaultPath = "sys/kernel/security/ima/ascii_runtime_measurements"

// nameLayout is how lists made from measurements are named, in local time.
const nameLayout = "20060102_150405"

// Source makes one list of the format ima+ima_ng from measurement lists, as text or
// binary. It implements parsers.Source.
//
// The list holds the lines of all inputs as they are, binary entries as the lines of text
// that the kernel would show, but for those without the digest of a file: buffers and
// fs-verity descriptors. Violations stay, as in the lists of the C tools; the
// Parser leaves their zeros out. Without an input, the running kernel's list under
// Input.Root is read.
type Source struct {
	Now func() time.Time // for the list's name; nil is time.Now
}

var _ parsers.Source = Source{}

// Lists yields the one list.
func (s Source) Lists(ctx context.Context, in parsers.Input) iter.Seq2[*parsers.List, error] {
	return func(yield func(*parsers.List, error) bool) {
		content, err := makeContent(ctx, in)
		if err != nil {
			yield(nil, err)
			return
		}
		now := s.Now
		if now == nil {
			now = time.Now
		}
		yield(&parsers.List{
			Format:  Format,
			Name:    now().Format(nameLayout),
			Content: content,
			Entries: Parser{}.Parse(content, parsers.Options{
				Type:       in.Type,
				Generation: in.Generation,
				Want:       parsers.FieldPath | parsers.FieldSignature,
			}),
		}, nil)
	}
}

func makeContent(ctx context.Context, in parsers.Input) ([]byte, error) {
	if in.Modifiers&^compact.Immutable != 0 {
		return nil, fmt.Errorf("%w: %s cannot be named in a list of format %s", compact.ErrUnsupportedModifier, in.Modifiers, Format)
	}
	paths := in.Paths
	if len(paths) == 0 {
		root := in.Root
		if root == "" {
			root = "/"
		}
		paths = []string{filepath.Join(root, DefaultPath)}
	}
	c := collector{ctx: ctx, in: in, entry: parsers.Entry{Type: in.Type, Modifiers: in.Modifiers}}
	c.out.WriteString(in.Modifiers.String())
	c.out.WriteByte('\n')
	for _, path := range paths {
		if err := c.addFile(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return c.out.Bytes(), nil
}

// collector gathers the lines of several measurement lists.
type collector struct {
	ctx   context.Context
	in    parsers.Input
	entry parsers.Entry
	out   bytes.Buffer
	done  int
}

func (c *collector) addFile(path string) error {
	file, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()
	before := c.done
	if err := c.addAll(NewReader(file)); err != nil {
		return err
	}
	if c.done == before {
		return fmt.Errorf("%w: no measurements in the list", compact.ErrMalformed)
	}
	return nil
}

// openRegular opens a file without waiting for the writer of a fifo. Files of securityfs are
// regular, with a size of 0.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file: %s", info.Mode().Type())
	}
	file, err := os.Open(path)
	return file, cause(err)
}

// cause drops the path from an error whose message gets it anyway.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

func (c *collector) addAll(r *Reader) error {
	for {
		m, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.ctx.Err()
		}
		if err != nil {
			return err
		}
		if err := c.add(m); err != nil {
			return fmt.Errorf("%s: %w", m.position(), err)
		}
		if c.done++; c.in.Progress != nil && c.done%1024 == 0 {
			c.in.Progress(c.done)
		}
	}
}

// add appends the line of a measurement that holds the digest of a file.
func (c *collector) add(m *Measurement) error {
	opts := parsers.Options{KeepZero: true}
	if c.in.Select != nil {
		opts.Want = parsers.FieldPath | parsers.FieldSignature
	}
	ok, err := m.fill(opts, &c.entry)
	if err != nil || !ok {
		return err
	}
	if c.in.Select != nil && !c.in.Select(&c.entry) {
		return nil
	}
	if m.Line > 0 {
		c.out.Write(m.Raw)
	} else {
		line, ok := m.AppendText(c.out.AvailableBuffer())
		if !ok {
			return fmt.Errorf("%w: template %s cannot be written as text", ErrNoFileDigest, quote(m.Template))
		}
		c.out.Write(line)
	}
	c.out.WriteByte('\n')
	return nil
}
