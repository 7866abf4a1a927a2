package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
)

// An upload is a list and what the kernel gets to know by it.
type upload struct {
	*listdir.List
	path string // of a list that the kernel opens itself; else ""
	list []byte // its digests as a compact list; with a path, all of that file
	late bool   // list is made in the window
}

// data is what is written.
func (up *upload) data() []byte {
	if up.path != "" {
		return []byte(up.path)
	}
	return up.list
}

// prepare does before the window what would disturb in it. A compact list goes by
// its path, so that the kernel opens, measures and appraises it itself, unless a signature is
// appended to it; one with a
// fault is left out, since the kernel would keep the digests before the fault.
// Plug-ins run here, and signatures are checked. The other lists are read in the
// window, where the kernel measures them.
func (u *uploader) prepare(lists []listdir.List) []upload {
	c := &converter{uploader: u}
	uploads := make([]upload, 0, len(lists))
	for i := range lists {
		up, err := c.prepare(&lists[i])
		if err != nil {
			u.Fail(lists[i].File, err)
			continue
		}
		uploads = append(uploads, up)
	}
	return uploads
}

func (c *converter) prepare(l *listdir.List) (up upload, err error) {
	up = upload{List: l}
	if err := decode.CheckType(l.Name); err != nil {
		return up, err
	}
	if err := c.kernelKeys.check(c.set.Path, l.File); err != nil {
		return up, err
	}
	_, builtIn := c.builtIn.Lookup(l.Format)
	up.late = builtIn && l.Format != compactlist.Format
	if up.late && c.trust == nil {
		return up, nil // not even looked at: boot waits for the first write
	}
	content, err := c.read(*l)
	if err != nil {
		return up, err
	}
	switch {
	case l.Format == compactlist.Format:
		path := filepath.Join(c.set.Path, l.File)
		if up.list, err = checkCompact(path, content); len(up.list) == len(content) {
			up.path = path
		} else { // to the kernel, a signature at the end is a fault
			up.late, up.list = true, nil
		}
	case !up.late:
		up.list, err = c.convert(*l, content)
	}
	up.list = bytes.Clone(up.list)
	return up, err
}

// read reads a list and checks its signature. The content is valid until the next
// call.
func (c *converter) read(l listdir.List) ([]byte, error) {
	content, err := c.set.ReadInto(l.File, c.content)
	if err != nil {
		return nil, err
	}
	c.content = content
	return content, c.trust.check(c.set.Path, l, content)
}

// checkCompact returns a list that the kernel is going to open, without an appended
// signature.
func checkCompact(path string, content []byte) ([]byte, error) {
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("the kernel takes no path with control characters: %q", path)
	}
	if err := checkSize(len(content)); err != nil {
		return nil, err
	}
	list, _, _, err := imasig.SplitAppended(content)
	if err == nil {
		_, err = compact.Check(bytes.NewReader(list))
	}
	return list, err
}

func checkSize(n int) error {
	if n < securityfs.MaxWrite {
		return nil
	}
	return fmt.Errorf("%w: %d bytes as a compact list, the kernel takes less than %d", compact.ErrTooLarge, n, securityfs.MaxWrite)
}

// A converter makes compact lists of others, in buffers that are used again.
type converter struct {
	*uploader
	content []byte
	runs    []decode.Run
	out     bytes.Buffer
}

// convertList reads a list and returns its digests as a compact list, valid until
// the next call. Nothing is opened but the list.
func (c *converter) convertList(l listdir.List) ([]byte, error) {
	content, err := c.set.ReadInto(l.File, c.content)
	if err != nil {
		return nil, err
	}
	c.content = content
	return c.convert(l, content)
}

func (c *converter) convert(l listdir.List, content []byte) (_ []byte, err error) {
	if l.Format == compactlist.Format {
		if content, _, _, err = imasig.SplitAppended(content); err != nil {
			return nil, err
		}
	}
	if err := c.parse(l, content); err != nil {
		return nil, err
	}
	c.out.Reset()
	w := compact.NewWriter(&c.out)
	if err := errors.Join(decode.Write(w, c.runs), w.Close()); err != nil {
		return nil, err
	}
	return c.out.Bytes(), checkSize(c.out.Len())
}

// parse sets runs to the digests of a list.
func (c *converter) parse(l listdir.List, content []byte) (err error) {
	c.runs, err = decode.Runs(decode.Entries(c.formats, l.Name, content, parsers.Options{Generation: c.generation}), c.runs)
	return err
}
