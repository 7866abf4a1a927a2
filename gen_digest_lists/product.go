package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/pgp"
	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
)

// A product is a list on its way into the directory.
type product struct {
	name      listdir.Name
	content   []byte
	vendor    []byte // OpenPGP packets, to be kept apart from the list
	attribute []byte // security.ima, where the vendor's signature goes there

	staged  *listdir.Staged // nil if the directory has the list already
	present string          // its file name there
}

// encode makes the content of a list, or nil if there is nothing in it. It is in
// the memory of the batch, or its own: the source's is used again for the next list.
func (r *request) encode(list *parsers.List, b *batch) (*product, error) {
	name, err := r.name(list)
	if err != nil {
		return nil, err
	}
	p := &product{name: name}
	if r.compactContent(list) {
		p.content, err = r.encodeEntries(list)
	} else {
		err = r.verbatim(p, list, b)
	}
	if err != nil {
		return nil, err
	}
	if len(p.content) == 0 {
		return nil, r.emptyList()
	}
	return p, nil
}

// emptyList says whether a list without digests, which is none to the kernel, is
// what was to be expected: of a package without files, or where all are known.
func (r *request) emptyList() error {
	if isPackageFormat(r.format) || r.format == "unknown" {
		return nil
	}
	return errors.New("no file to list: the inputs hold none, or all were left out")
}

// compactContent reports whether the entries are to be written as a compact list:
// where there is nothing else, and where it is asked for.
func (r *request) compactContent(list *parsers.List) bool {
	return list.Content == nil || r.converts()
}

// name returns the name of a list. A list that nothing would upload gets none.
func (r *request) name(list *parsers.List) (listdir.Name, error) {
	name, err := r.anyName(list)
	if err != nil {
		return name, err
	}
	if err := decode.CheckType(name); err != nil {
		return name, command.WithHint(command.Usagef("-f %s -t parser: %w", r.format, err),
			"-f compact -i /usr/bin/upload_digest_lists -t parser makes the list of the parser")
	}
	return name, nil
}

func (r *request) anyName(list *parsers.List) (listdir.Name, error) {
	if r.format == "copy" {
		return listdir.CopyName(r.listType, list.Name)
	}
	name := listdir.Name{Type: r.listType, Format: list.Format, Label: list.Name}
	if r.compactContent(list) {
		name.Format = r.entriesFormat()
	}
	if r.letters.nameByFile && r.letters.pathsFile != "" {
		name.Label = filepath.Base(r.letters.pathsFile)
	}
	return name, nil
}

// verbatim keeps a list in its own format. The vendor's signature of an rpm list
// goes to security.ima in the 0.3.9x generation, unless that is where ours goes or
// it has no room for it, or for all that there are; else it is kept apart.
func (r *request) verbatim(p *product, list *parsers.List, b *batch) error {
	packets, err := pgp.Split(list.Vendor)
	if (err != nil || len(packets) == 1) && r.generation == parsers.Gen039 && r.signing.signer == nil {
		content, sig, id, hash, err := rpmlist.OnDisk(list.Content, list.Vendor)
		if err == nil {
			p.content = content
			p.attribute = imasig.Signature{Hash: hash, KeyID: id, Sig: sig}.Marshal()
			return nil
		}
		if !errors.Is(err, compact.ErrUnsupportedAlgorithm) && !errors.Is(err, compact.ErrUnsupportedVersion) {
			return err
		}
	}
	p.content = b.keep(list.Content)
	if list.Vendor != nil {
		p.vendor = b.keep(list.Vendor)
	}
	return nil
}

// present finds lists that the directory has already.
type present struct {
	dir   *listdir.Dir
	files map[listdir.Name][]string // by name without position
}

func newPresent(dir *listdir.Dir) *present {
	p := &present{dir: dir, files: make(map[listdir.Name][]string)}
	for _, l := range dir.Lists() {
		key := l.Name
		key.Position = 0
		p.files[key] = append(p.files[key], l.File)
	}
	return p
}

// find returns the file that has the same name, but for its position, and the same
// content, but for an appended signature; or "".
func (p *present) find(product *product) (string, error) {
	key := product.name
	key.Position = 0
	for _, file := range p.files[key] {
		content, err := p.dir.ReadInto(file, nil)
		if err != nil {
			return "", err
		}
		if content, _, _, err = imasig.SplitAppended(content); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		if bytes.Equal(content, product.content) {
			return file, nil
		}
	}
	return "", nil
}
