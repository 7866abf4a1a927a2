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
	lists := u.addKeys(u.parsable(u.set.lists))
	lists = u.checkCompact(lists)

	window, err := securityfs.Open(root, u.operation)
	if errors.Is(err, securityfs.ErrUnsupported) {
		return command.WithCode(command.ExitUnsupported, err)
	}
	if err != nil {
		return err
	}
	u.uploadAll(window, lists)
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

// checkCompact leaves out compact lists that the kernel would stop at midway,
// keeping the digests before the fault.
func (u *uploader) checkCompact(lists []listdir.List) []listdir.List {
	var good []listdir.List
	var buf []byte
	for _, l := range lists {
		if l.Format == compactFormat {
			content, err := u.set.ReadInto(l.File, buf)
			if err == nil {
				buf = content
				_, err = decode.Runs(decode.Entries(u.formats, l.Name, content, parsers.Options{}), nil)
			}
			if err != nil {
				u.fail(l.File, err)
				continue
			}
		}
		good = append(good, l)
	}
	return good
}

func (u *uploader) uploadAll(w *securityfs.Window, lists []listdir.List) {
	c := &converter{uploader: u}
	for _, l := range lists {
		data, err := c.uploadData(l)
		if err == nil && len(data) > 0 {
			err = w.Upload(data)
		}
		if err != nil {
			u.fail(l.File, err)
		}
	}
}

// A converter makes what is written for a list, in buffers that are used again.
type converter struct {
	*uploader
	content []byte
	runs    []decode.Run
	out     bytes.Buffer
}

// uploadData returns the path of a compact list, which the kernel opens, measures
// and appraises itself, or the digests of any other list as a compact list.
// A list without digests, of a package without files, gives nothing.
func (c *converter) uploadData(l listdir.List) ([]byte, error) {
	if l.Format == compactFormat {
		return []byte(filepath.Join(c.set.path, l.File)), nil
	}
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
