// Package decode turns a file of the list directory into entries.
package decode

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
)

// Entries parses the content of a list with the parser of the format in its
// name. A signature appended to the content is left out; it is not checked.
func Entries(reg parsers.Registry, name listdir.Name, content []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	parser, err := reg.Parser(name.Format)
	if err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	content, _, _, err = imasig.SplitAppended(content)
	if err != nil {
		return parsers.Fail[parsers.Entry](fmt.Errorf("appended signature: %w", err))
	}
	opts.Type = contentType(name.Type)
	return parser.Parse(content, opts)
}

// CheckType refuses a parser list of a format that does not record the type of its digests:
// a signed list of a package, under the name of a parser list, would make every program in
// it one that may upload lists.
func CheckType(name listdir.Name) error {
	if name.Type == compact.TypeParser && name.Format != compactlist.Format && name.Format != compactlist.TLVFormat {
		return errors.New("a parser list has to be compact: in other formats only the name says so, which no signature covers")
	}
	return nil
}

// contentType is the type of digests in formats that do not record it: those of files'
// contents, also in a list of type metadata.
func contentType(t compact.Type) compact.Type {
	if t == compact.TypeMetadata {
		return compact.TypeFile
	}
	return t
}

// File yields the entries of a list of the directory, as Entries does: all of it is
// checked before the first one. It needs the memory of a whole list only for formats
// whose parser does.
func File(reg parsers.Registry, dir *listdir.Dir, l listdir.List, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	parser, err := reg.Parser(l.Format)
	if err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	streamer, ok := parser.(parsers.Streamer)
	if !ok {
		content, err := dir.ReadInto(l.File, nil)
		if err != nil {
			return parsers.Fail[parsers.Entry](err)
		}
		return Entries(reg, l.Name, content, opts)
	}
	return func(yield func(*parsers.Entry, error) bool) {
		f, err := dir.OpenList(l.File)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		opts.Type = contentType(l.Type)
		stream(streamer, f, opts)(yield)
	}
}

func stream(parser parsers.Streamer, f listdir.File, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	size, err := imasig.ContentSize(f, f.Size())
	if err != nil {
		return parsers.Fail[parsers.Entry](fmt.Errorf("appended signature: %w", err))
	}
	if err := parser.Check(io.NewSectionReader(f, 0, size), opts); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return parser.Stream(io.NewSectionReader(f, 0, size), opts)
}

// A Run is the digests of a list that belong to the same block.
type Run struct {
	compact.Block
	Sums []byte // digests back to back
}

// Runs parses a list and returns its digests in order, in a run for each block, in order
// of first use. A digest of metadata that an entry has goes before the one of the
// content. Runs appends to runs and reuses their memory.
func Runs(entries iter.Seq2[*parsers.Entry, error], runs []Run) ([]Run, error) {
	runs = runs[:0]
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		b := compact.Block{Type: e.Type, Modifiers: e.Modifiers, Algorithm: e.Algorithm}
		if e.EVMDigest != nil {
			b.Type = compact.TypeMetadata
			runs = addSum(runs, b, e.EVMDigest)
			b.Type = e.Type
		}
		runs = addSum(runs, b, e.Digest)
	}
	return runs, nil
}

// addSum adds a digest to the run of its block. A list has a handful of them.
func addSum(runs []Run, b compact.Block, sum []byte) []Run {
	i := 0
	for i < len(runs) && runs[i].Block != b {
		i++
	}
	if i == len(runs) {
		runs = extend(runs, b)
	}
	runs[i].Sums = append(runs[i].Sums, sum...)
	return runs
}

// extend adds an empty run, with the memory of an earlier use if there is one.
func extend(runs []Run, b compact.Block) []Run {
	if len(runs) < cap(runs) {
		runs = runs[:len(runs)+1]
		last := &runs[len(runs)-1]
		last.Block, last.Sums = b, last.Sums[:0]
		return runs
	}
	return append(runs, Run{Block: b})
}

// Write adds the digests of runs to a compact list.
func Write(w *compact.Writer, runs []Run) error {
	for _, run := range runs {
		size := run.Algorithm.Size()
		for sums := run.Sums; len(sums) > 0; sums = sums[size:] {
			if err := w.Add(run.Block, sums[:size]); err != nil {
				return err
			}
		}
	}
	return nil
}
