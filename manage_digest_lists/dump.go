package main

import (
	"bufio"
	"io"

	"digestlists/compact"
	"digestlists/internal/ahead"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// dump prints all lists, as text or as JSON.
func dump(j *job) error {
	l, err := j.openLists()
	if err != nil {
		return err
	}
	defer l.Close()
	return j.write(func(w io.Writer) error {
		d := &dumper{lists: l, out: bufio.NewWriterSize(w, 64<<10), form: textForm}
		if j.Bool("json") {
			d.form = jsonForm
		}
		for _, list := range l.Lists {
			if err := d.dump(list); err != nil {
				j.Fail(list.File, err)
			}
		}
		return d.out.Flush()
	})
}

// A form is how records are printed: each function appends what it says to dst.
type form struct {
	list  func(dst []byte, list listdir.List) []byte // before its records
	entry func(dst []byte, list listdir.List, e *parsers.Entry) []byte
	key   func(dst []byte, list listdir.List, key *imasig.Key) []byte
}

type dumper struct {
	*lists
	out  *bufio.Writer
	form form
	buf  []byte
}

// dump prints a list. Errors of writing stay in out.
func (d *dumper) dump(list listdir.List) error {
	if list.Type == compact.TypeKey {
		return d.dumpKey(list)
	}
	d.buf = d.form.list(d.buf[:0], list)
	entries := d.entries(list, parsers.Options{Want: everything, KeepZero: true})
	for e, err := range ahead.Of(entries, takeEntry) { // reading and printing have a processor each
		if err != nil {
			return err
		}
		d.buf = d.form.entry(d.buf, list, e)
		if _, err := d.out.Write(d.buf); err != nil {
			return nil
		}
		d.buf = d.buf[:0]
	}
	_, _ = d.out.Write(d.buf)
	return nil
}

// takeEntry copies an entry.
func takeEntry(b *ahead.Batch[parsers.Entry], to, from *parsers.Entry) {
	*to = *from
	for _, slice := range []*[]byte{&to.Digest, &to.EVMDigest, &to.Signature, &to.CapsValue, &to.LabelValue} {
		*slice = b.Keep(*slice)
	}
}

func (d *dumper) dumpKey(list listdir.List) error {
	key, err := readKey(d.lists, list)
	if err != nil {
		return err
	}
	d.buf = d.form.key(d.form.list(d.buf[:0], list), list, key)
	_, _ = d.out.Write(d.buf)
	return nil
}

// readKey returns the key of a key list.
func readKey(l *lists, list listdir.List) (*imasig.Key, error) {
	content, err := l.ReadInto(list.File, nil)
	if err != nil {
		return nil, err
	}
	if content, _, _, err = imasig.SplitAppended(content); err != nil {
		return nil, err
	}
	var keys imasig.Keyring
	if err := keys.AddCertificate(content, list.File); err != nil {
		return nil, err
	}
	return keys.Keys()[0], nil
}
