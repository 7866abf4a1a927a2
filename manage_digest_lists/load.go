package main

import (
	"bytes"
	"errors"
	"fmt"

	"digestlists/compact"
	"digestlists/internal/kernel"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers/formats"
)

// emulate loads the digests into a model of the kernel's table.
func (a *adder) emulate() error {
	model, err := kernel.OpenModel(a.String("emulate"), securityfs.Add)
	if err != nil {
		return err
	}
	a.upload(model)
	if err := a.checkAdded(); err != nil {
		return err
	}
	if err := model.Save(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.App.Writer, model.Summary())
	return err
}

// load loads the digests into the kernel.
func (a *adder) load() (err error) {
	k, disconnect, err := kernel.Connect(a.String("securityfs"), a.String("proc"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()
	if _, err := k.Setup(a.lists.Path); err != nil {
		return err
	}
	a.rehearse()
	to, end, err := k.Open(securityfs.Add)
	if err != nil {
		return err
	}
	a.upload(to)
	return errors.Join(end(), a.checkAdded())
}

// rehearse reads the lists before the window, so that no list with a fault gets there.
// They are read again in it, where the kernel measures them.
func (a *adder) rehearse() {
	var good []listdir.List
	for _, list := range a.wanted {
		content, err := a.encode(list)
		if err != nil {
			a.Fail(list.File, err)
			continue
		}
		good = append(good, list)
		if _, builtIn := formats.Lists().Lookup(list.Format); !builtIn {
			a.ready[list.File] = bytes.Clone(content)
		}
	}
	a.wanted, a.some = good, false
}

// upload is all that happens in a window.
func (a *adder) upload(to kernel.Target) {
	for _, list := range a.wanted {
		content, ready := a.ready[list.File]
		var err error
		if !ready {
			content, err = a.encode(list)
		}
		if err == nil && len(content) > 0 {
			a.some = true
			err = to.Upload(content)
		}
		if err != nil {
			a.Fail(list.File, err)
		}
	}
}

// encode returns the digests of a list as a compact list, valid until the next call.
func (a *adder) encode(list listdir.List) ([]byte, error) {
	a.out.Reset()
	w := compact.NewWriter(&a.out)
	if err := errors.Join(a.addTo(w, list), w.Close()); err != nil {
		return nil, err
	}
	if a.out.Len() >= securityfs.MaxWrite {
		return nil, fmt.Errorf("%w: %d bytes as a compact list, the kernel takes less than %d", compact.ErrTooLarge, a.out.Len(), securityfs.MaxWrite)
	}
	return a.out.Bytes(), nil
}
