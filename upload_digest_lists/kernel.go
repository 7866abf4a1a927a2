package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers"
)

// upload loads the lists into the kernel. Everything that opens files other than
// lists happens before or after the window.
func (u *uploader) upload() (err error) {
	root := u.securityfs
	if root == "" {
		unmount, err := securityfs.Mount()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unmount()) }()
		root = securityfs.MountPoint
	}
	uploads := u.prepare(u.addKeys(u.parsable(u.set.lists)))

	window, err := securityfs.Open(root, u.operation)
	if errors.Is(err, securityfs.ErrUnsupported) {
		return command.WithCode(command.ExitUnsupported, err)
	}
	if err != nil {
		return err
	}
	u.uploadAll(window, uploads)
	if err := window.Close(); err != nil {
		return err
	}
	return u.result()
}

// addKeys hands the key lists to the kernel's keyring and returns the others.
func (u *uploader) addKeys(lists []listdir.List) []listdir.List {
	var others []listdir.List
	for _, l := range lists {
		if l.Type != compact.TypeKey {
			others = append(others, l)
		} else if u.operation == securityfs.Add {
			if err := u.addKey(l); err != nil {
				u.fail(l.File, err)
			}
		}
	}
	return others
}

func (u *uploader) addKey(l listdir.List) error {
	der, err := u.set.ReadInto(l.File, nil)
	if err != nil {
		return err
	}
	return securityfs.AddKey(der)
}

// An upload is a list and what is written for it, now or once it is made.
type upload struct {
	listdir.List
	data []byte
	made bool
}

// prepare does before the window what would disturb in it. A compact list goes by
// its path, so that the kernel opens, measures and appraises it itself; one with a
// fault is left out, since the kernel would keep the digests before the fault.
// Plug-ins run here. The other lists are read in the window, where the kernel
// measures them.
func (u *uploader) prepare(lists []listdir.List) []upload {
	c := &converter{uploader: u}
	var uploads []upload
	for _, l := range lists {
		up := upload{List: l}
		var err error
		if l.Format == compactFormat {
			up.data, up.made = []byte(filepath.Join(u.set.path, l.File)), true
			err = c.check(l)
		} else if _, ok := u.builtIn.Lookup(l.Format); !ok {
			up.data, err = c.convertList(l)
			up.data, up.made = bytes.Clone(up.data), true
		}
		if err != nil {
			u.fail(l.File, err)
			continue
		}
		uploads = append(uploads, up)
	}
	return uploads
}

func (u *uploader) uploadAll(w *securityfs.Window, uploads []upload) {
	c := &converter{uploader: u}
	for _, up := range uploads {
		var err error
		if !up.made {
			up.data, err = c.convertList(up.List)
		}
		// A list without digests, of a package without files, is none to the kernel.
		if err == nil && len(up.data) > 0 {
			err = w.Upload(up.data)
		}
		if err != nil {
			u.fail(up.File, err)
		}
	}
}

// A converter makes compact lists of others, in buffers that are used again.
type converter struct {
	*uploader
	content []byte
	runs    []decode.Run
	out     bytes.Buffer
}

// check parses a list and keeps nothing of it.
func (c *converter) check(l listdir.List) error {
	content, err := c.set.ReadInto(l.File, c.content)
	if err != nil {
		return err
	}
	c.content = content
	for _, err := range decode.Entries(c.formats, l.Name, content, parsers.Options{Generation: c.generation}) {
		return err // all of the list was checked before the first entry
	}
	return nil
}

// convertList returns the digests of a list as a compact list, valid until the
// next call.
func (c *converter) convertList(l listdir.List) ([]byte, error) {
	content, err := c.set.ReadInto(l.File, c.content)
	if err != nil {
		return nil, err
	}
	c.content = content
	entries := decode.Entries(c.formats, l.Name, content, parsers.Options{Generation: c.generation})
	if c.runs, err = decode.Runs(entries, c.runs); err != nil {
		return nil, err
	}
	c.out.Reset()
	w := compact.NewWriter(&c.out)
	if err := errors.Join(decode.Write(w, c.runs), w.Close()); err != nil {
		return nil, err
	}
	if c.out.Len() >= securityfs.MaxWrite {
		return nil, fmt.Errorf("%w: %d bytes as a compact list, the kernel takes less than %d",
			compact.ErrTooLarge, c.out.Len(), securityfs.MaxWrite)
	}
	return c.out.Bytes(), nil
}
