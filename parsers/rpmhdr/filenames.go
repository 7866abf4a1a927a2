package rpmhdr

import (
	"encoding/binary"
	"encoding/hex"
	"slices"

	"digestlists/compact"
)

// A column is an array of strings with one for each file, read forwards.
type column struct {
	present bool
	rest    texts
	next    int    // index of the string at rest
	last    []byte // the one before
	text    string // last as a string, kept while files repeat it
}

func (f *Files) loadColumn(c *column, tag Tag) error {
	e, err := f.array(tag, kindStrings)
	if e != nil {
		*c = column{present: true, rest: f.header.texts(e)}
	}
	return err
}

// at returns string i, which must not be before the last one asked for.
func (c *column) at(i int) []byte {
	for ; c.next <= i; c.next++ {
		c.last = c.rest.next()
	}
	return c.last
}

// repeated returns string i. It allocates only where that differs from the one
// before: most files of a package have the same owner.
func (c *column) repeated(i int) string {
	if !c.present {
		return ""
	}
	if s := c.at(i); string(s) != c.text {
		c.text = string(s)
	}
	return c.text
}

// HasPaths reports whether the header has the names of the files.
func (f *Files) HasPaths() bool { return f.paths.present }

// Path returns the absolute path of the current file, "" if HasPaths is false.
func (f *Files) Path() string {
	if !f.paths.present {
		return ""
	}
	name := f.paths.at(f.at)
	if f.dirIndexes == nil {
		return string(name)
	}
	return string(f.dir(binary.BigEndian.Uint32(f.dirIndexes[4*f.at:]))) + string(name)
}

// dir returns directory i, with its slash.
func (f *Files) dir(i uint32) []byte {
	if len(f.dirStarts) == 0 {
		f.findDirs()
	}
	dir := f.dirs[f.dirStarts[i]:]
	return dir.next()
}

func (f *Files) findDirs() {
	rest := f.dirs
	for range f.header.Count(DirNames) {
		f.dirStarts = append(f.dirStarts, uint32(len(f.dirs)-len(rest)))
		rest.next()
	}
}

func (f *Files) loadOwners() error {
	if err := f.loadColumn(&f.users, FileUserName); err != nil {
		return err
	}
	if err := f.loadColumn(&f.groups, FileGroupName); err != nil {
		return err
	}
	return f.loadColumn(&f.caps, FileCaps)
}

// HasNames reports whether the header has the names of owners and groups.
func (f *Files) HasNames() bool { return f.users.present && f.groups.present }

// User returns the name of the owner of the current file.
func (f *Files) User() string { return f.users.repeated(f.at) }

// Group returns the name of the group of the current file.
func (f *Files) Group() string { return f.groups.repeated(f.at) }

// Caps returns the capabilities of the current file as text, "" for none.
func (f *Files) Caps() string { return f.caps.repeated(f.at) }

// LoadSignatures checks the file signatures that belong to the files loaded, and
// makes Signature return them. In a package file they are in the signature
// header, in a database among the entries added at install: h need not be the
// header of Load. Without any it does nothing.
func (f *Files) LoadSignatures(h *Header) error {
	tag := FileSignatures
	if h.RegionTag() == HeaderSignatures {
		tag = SigFileSignatures
	}
	e := h.find(tag)
	if e == nil || f.count == 0 {
		return nil
	}
	if e.kind != kindStrings || int(e.count) != f.count {
		return h.failValue(e, compact.ErrMalformed, "%d values of type %v for %d file digests, want %v", e.count, e.kind, f.count, kindStrings)
	}
	rest := h.texts(e)
	for i := range f.count {
		text := rest.next()
		f.signature = slices.Grow(f.signature[:0], len(text)/2)[:len(text)/2]
		if len(text)%2 != 0 || !decodeHex(f.signature, text) {
			return h.failValue(e, compact.ErrMalformed, "file %d of %d: %q, want hex", i+1, f.count, clip(text))
		}
	}
	f.signatures = column{present: true, rest: h.texts(e)}
	return nil
}

// Signature returns the contents of security.ima that the package carries for
// the current file, nil if it has none. It is valid until Next.
func (f *Files) Signature() []byte {
	if !f.signatures.present {
		return nil
	}
	text := f.signatures.at(f.at)
	if len(text) == 0 {
		return nil
	}
	f.signature, _ = hex.AppendDecode(f.signature[:0], text)
	return f.signature
}
