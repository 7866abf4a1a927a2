package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"

	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
)

// A pick returns the digest of an entry that is to be added, and nil for none. The block
// is that in which the kernel gets it.
type pick func(list listdir.List, e *parsers.Entry) (compact.Block, []byte, error)

// addDigest adds the digests of contents.
func addDigest(j *job) error { return j.add(contentDigest) }

// addMetaDigest adds the digests of metadata.
func addMetaDigest(j *job) error {
	d := &describer{root: j.root()}
	return j.add(func(list listdir.List, e *parsers.Entry) (b compact.Block, digest []byte, err error) {
		b = compact.Block{Type: compact.TypeMetadata, Modifiers: e.Modifiers, Algorithm: e.Algorithm}
		if onlyMetadata(list, e) {
			return b, e.Digest, nil
		}
		if digest, err = d.digest(e); err != nil {
			err = fmt.Errorf("%q: %w", e.Path, err)
		}
		return b, digest, err
	})
}

// onlyMetadata reports whether the digest of an entry is that of metadata. Compact lists
// have no other; other lists of type metadata have the digest of the content beside it.
func onlyMetadata(list listdir.List, e *parsers.Entry) bool {
	return e.Type == compact.TypeMetadata && list.Format == compactlist.Format
}

// contentDigest picks what is compared with a file's content. In the kernel, it is of type
// file whatever the type of the list: only digests of metadata are of type metadata.
func contentDigest(list listdir.List, e *parsers.Entry) (b compact.Block, digest []byte, err error) {
	b = compact.Block{Type: e.Type, Modifiers: e.Modifiers, Algorithm: e.Algorithm}
	if onlyMetadata(list, e) {
		return b, nil, nil
	}
	if b.Type == compact.TypeMetadata {
		b.Type = compact.TypeFile
	}
	return b, e.Digest, nil
}

// add writes the digests to the file of -o, or loads them.
func (j *job) add(picked pick) error {
	stand := j.IsSet("securityfs") || j.IsSet("proc")
	if j.IsSet("output") && j.IsSet("emulate") || stand && (j.IsSet("output") || j.IsSet("emulate")) {
		return command.Usagef("-o, --emulate, and --securityfs and --proc name different places to add digests to")
	}
	l, err := j.openLists()
	if err != nil {
		return err
	}
	defer l.Close()
	a := &adder{job: j, lists: l, pick: picked, ready: map[string][]byte{}}
	for _, list := range l.Lists {
		if list.Type != compact.TypeKey {
			a.wanted = append(a.wanted, list)
		}
	}
	switch {
	case j.IsSet("output"):
		return a.convert()
	case j.IsSet("emulate"):
		return a.emulate()
	}
	return a.load()
}

type adder struct {
	*job
	*lists
	pick   pick
	wanted []listdir.List
	ready  map[string][]byte // lists in formats of plug-ins, by file: no program runs in a window
	some   bool              // digests were added
	runs   []decode.Run
	out    bytes.Buffer
}

// convert writes one compact list, where there is a digest for it.
func (a *adder) convert() error {
	fill := func(out io.Writer) error {
		w := compact.NewWriter(out)
		for _, list := range a.wanted {
			if err := a.addTo(w, list); err != nil {
				a.Fail(list.File, err)
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		return a.checkAdded()
	}
	if path := a.String("output"); path != "-" {
		return atomicfile.Write(path, 0o644, fill)
	}
	return fill(a.App.Writer)
}

// checkAdded makes it an error that nothing was added: the kernel takes no empty list.
func (a *adder) checkAdded() error {
	switch {
	case a.some:
		return nil
	case a.Failures > 0:
		return command.Failed()
	}
	return command.WithCode(command.ExitNothing, fmt.Errorf("%s: no digest to add", a.directory()))
}

// addTo adds the digests of a list. Nothing is added of one with a fault.
func (a *adder) addTo(w *compact.Writer, list listdir.List) (err error) {
	if a.runs, err = decode.Runs(a.picked(list), a.runs); err != nil {
		return err
	}
	a.some = a.some || len(a.runs) > 0
	return decode.Write(w, a.runs)
}

// picked yields an entry for each digest to add.
func (a *adder) picked(list listdir.List) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		for e, err := range a.loadable(list) {
			if err == nil {
				b, digest, pickErr := a.pick(list, e)
				if pickErr == nil && digest == nil {
					continue
				}
				e, err = &parsers.Entry{Type: b.Type, Modifiers: b.Modifiers, Algorithm: b.Algorithm, Digest: digest}, pickErr
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
