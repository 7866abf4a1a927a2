package rpmlist

import (
	"iter"
	"sync"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
)

// Format is the name of the format in the names of lists.
const Format = "rpm"

// Parser reads `rpm` lists. It yields every regular file that has a digest: also
// configuration, documentation and each of several hard links.
type Parser struct{}

var _ parsers.Parser = Parser{}

// scratch keeps the memory for decoded digests between lists.
var scratch = sync.Pool{New: func() any { return new(rpmhdr.Files) }}

// Parse implements parsers.Parser. A package without digests has no entries.
func (Parser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		h, err := Header(list)
		if err != nil {
			yield(nil, err)
			return
		}
		entries(h, h, opts)(yield)
	}
}

// Header decodes the header of a list.
func Header(list []byte) (*rpmhdr.Header, error) {
	header, _, err := Split(list)
	if err != nil {
		return nil, err
	}
	h, err := rpmhdr.ParseAt(header[len(rpmhdr.Magic):], int64(len(rpmhdr.Magic)))
	if err != nil {
		return nil, err
	}
	if !h.Whole() {
		return nil, fail(len(rpmhdr.Magic), "header", compact.ErrMalformed, "more than the immutable region")
	}
	return h, nil
}

// entries yields the files of h with the file signatures of signed, which may be
// nil.
func entries(h, signed *rpmhdr.Header, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		files := scratch.Get().(*rpmhdr.Files)
		defer free(files)
		if err := load(files, h, signed, opts.Want); err != nil {
			yield(nil, err)
			return
		}
		var e parsers.Entry
		for files.Next() {
			mode := files.Mode()
			if !parsers.Regular(mode) {
				continue
			}
			fill(&e, files, mode, opts)
			if !yield(&e, nil) {
				return
			}
		}
	}
}

func free(files *rpmhdr.Files) {
	files.Reset()
	scratch.Put(files)
}

// check finds out whether entries would yield an error.
func check(h, signed *rpmhdr.Header, want parsers.Fields) error {
	files := scratch.Get().(*rpmhdr.Files)
	defer free(files)
	return load(files, h, signed, want)
}

func load(files *rpmhdr.Files, h, signed *rpmhdr.Header, want parsers.Fields) error {
	if err := files.Load(h); err != nil {
		return err
	}
	if signed == nil || want&parsers.FieldSignature == 0 {
		return nil
	}
	return files.LoadSignatures(signed)
}

// fill makes e the current file.
func fill(e *parsers.Entry, files *rpmhdr.Files, mode uint16, opts parsers.Options) {
	*e = parsers.Entry{
		Digest:    files.Digest(),
		Algorithm: files.Algorithm(),
		Type:      opts.Type,
		Mode:      mode,
		Size:      files.Size(),
		Known:     parsers.FieldMode | parsers.FieldSize,
		Flags:     flags(files.Flags()),
	}
	if opts.Generation.Immutable(mode, e.Size) {
		e.Modifiers = compact.Immutable
	}
	if opts.Want&^e.Known != 0 {
		fillText(e, files, opts.Want)
	}
}

// fillText sets the fields that cost an allocation.
func fillText(e *parsers.Entry, files *rpmhdr.Files, want parsers.Fields) {
	if want&parsers.FieldPath != 0 && files.HasPaths() {
		e.Path = files.Path()
		e.Known |= parsers.FieldPath
	}
	if want&parsers.FieldNames != 0 && files.HasNames() {
		e.User, e.Group = files.User(), files.Group()
		e.Known |= parsers.FieldNames
	}
	if want&parsers.FieldCaps != 0 {
		e.Caps = files.Caps()
		e.Known |= parsers.FieldCaps
	}
	if want&parsers.FieldSignature != 0 {
		if e.Signature = files.Signature(); e.Signature != nil {
			e.Known |= parsers.FieldSignature
		}
	}
}

func flags(attributes uint32) (f parsers.Flags) {
	if attributes&rpmhdr.FileConfig != 0 {
		f |= parsers.FlagConfig
	}
	if attributes&rpmhdr.FileGhost != 0 {
		f |= parsers.FlagGhost
	}
	return f
}
