package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
	"digestlists/parsers/tlv"
)

// An encoder writes the entries of one list.
type encoder interface {
	add(e *parsers.Entry) error
	Close() error
}

// entries returns the entries that go into a list, with the metadata that it needs.
func (r *request) entries(list *parsers.List) iter.Seq2[*parsers.Entry, error] {
	all := list.Entries
	if r.completer != nil {
		all = r.completer.Entries(all)
	}
	if r.known != nil {
		all = r.known.Without(all)
	}
	return all
}

// entriesFormat is the format of lists that are made of entries.
func (r *request) entriesFormat() string {
	switch {
	case r.letters.cache:
		return tlv.Format
	case r.tlv:
		return compactlist.TLVFormat
	}
	return compactlist.Format
}

func (r *request) newEncoder(out io.Writer) encoder {
	switch {
	case r.letters.cache:
		return &cacheEncoder{out: out}
	case r.tlv:
		return &recordEncoder{compact.NewTLVWriter(out), r}
	}
	return &digestEncoder{compact.NewWriter(out), r}
}

// encodeEntries makes a list of entries.
func (r *request) encodeEntries(list *parsers.List) ([]byte, error) {
	var out bytes.Buffer
	w := r.newEncoder(&out)
	for e, err := range r.entries(list) {
		if err != nil {
			return nil, err
		}
		if err := r.checkIMA(e); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		if err := w.add(e); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Path, err)
		}
		r.noteTarget(e)
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// checkIMA refuses packages whose digests are not of the algorithm that the files'
// security.ima is said to have: the digest of that one is not known.
func (r *request) checkIMA(e *parsers.Entry) error {
	if r.listType == compact.TypeMetadata && isPackageFormat(r.format) && r.imaGiven && e.Algorithm != r.imaAlgorithm {
		return fmt.Errorf("its package has %v digests, security.ima of -I %v cannot be told from them", e.Algorithm, r.imaAlgorithm)
	}
	return nil
}

// digestEncoder writes digests only.
type digestEncoder struct {
	*compact.Writer
	r *request
}

func (w *digestEncoder) add(e *parsers.Entry) error {
	b := compact.Block{Type: w.r.listType, Modifiers: w.r.entryModifiers(e), Algorithm: e.Algorithm}
	if b.Type != compact.TypeMetadata {
		return w.Add(b, e.Digest)
	}
	if err := w.Add(b, e.EVMDigest); err != nil || !w.r.letters.contents {
		return err
	}
	b.Type = compact.TypeFile
	if isPackageFormat(w.r.format) {
		// 0.3.95 marks no content of a package here, and its lists are there to be
		// compared with.
		b.Modifiers = w.r.listModifiers()
	}
	return w.Add(b, e.Digest)
}

// recordEncoder writes all that is known of the files.
type recordEncoder struct {
	*compact.TLVWriter
	r *request
}

func (w *recordEncoder) add(e *parsers.Entry) error {
	b := compact.Block{Type: w.r.listType, Modifiers: w.r.entryModifiers(e), Algorithm: e.Algorithm}
	rec := compact.Record{Digest: e.Digest, EVMDigest: e.EVMDigest, Path: e.Path, Label: e.Label, Caps: e.Caps}
	rec.SetOwner(e.UID, e.GID)
	rec.SetMode(uint32(e.Mode))
	rec.SetSize(e.Size)
	rec.SetFSMagic(0) // as the C tool: a list is not of one file system
	return w.Add(b, &rec)
}

// cacheEncoder writes a list of the Integrity Digest Cache.
type cacheEncoder struct {
	tlv.Builder
	out io.Writer
}

func (w *cacheEncoder) add(e *parsers.Entry) error { return w.Add(e) }

func (w *cacheEncoder) Close() error {
	_, err := w.out.Write(w.Bytes())
	return err
}

// entryModifiers returns what is asked for and what the source says itself and, in
// the 0.3.9x generation, what the file's mode and size say.
func (r *request) entryModifiers(e *parsers.Entry) compact.Modifiers {
	m := r.listModifiers() | e.Modifiers
	modeKnown := e.Known&parsers.FieldMode != 0 && e.Known&parsers.FieldSize != 0
	if r.generation == parsers.Gen039 && modeKnown && r.generation.Immutable(e.Mode, e.Size) {
		m |= compact.Immutable
	}
	return m
}
