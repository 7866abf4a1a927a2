package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/pgp"
	"digestlists/internal/progress"
	"digestlists/internal/vendorsig"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/rpmlist"

	"github.com/urfave/cli/v2"
)

// A verifier checks the lists of a directory against trusted keys.
type verifier struct {
	path string
	dir  *listdir.Dir
	jobs int

	keys            imasig.Keyring
	vendors         *pgp.Keyring // nil: vendors' signatures are not looked at
	keyListsTrusted bool
	badKeys         []result // of key lists that hold no key
}

// listsToCheck leaves key lists out where they are the trust the others rest on.
func (v *verifier) listsToCheck(c *cli.Context) ([]listdir.List, error) {
	var lists []listdir.List
	one, file := c.IsSet("file"), c.String("file") // asking for each of many lists takes a while
	for _, l := range v.dir.Lists() {
		if l.Type == compact.TypeKey && v.keyListsTrusted || one && l.File != file {
			continue
		}
		lists = append(lists, l)
	}
	if one && len(lists) == 0 {
		return nil, command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list %q to check", v.path, file))
	}
	return lists, nil
}

// check checks the lists with several workers; results are in the order of lists.
func (v *verifier) check(lists []listdir.List, line *progress.Line) []result {
	results := make([]result, len(lists))
	var workers sync.WaitGroup
	var next atomic.Int64
	for range v.jobs {
		workers.Go(func() {
			w := worker{verifier: v, formats: formats.Lists(), now: time.Now()}
			for i := next.Add(1) - 1; i < int64(len(lists)); i = next.Add(1) - 1 {
				results[i] = w.check(lists[i])
				line.Add(1)
			}
		})
	}
	workers.Wait()
	return results
}

// A worker has the buffers for checking one list after the other.
type worker struct {
	*verifier
	formats parsers.Registry
	now     time.Time
	content []byte
}

func (w *worker) check(l listdir.List) result {
	signer, err := w.checkList(l)
	if err != nil {
		return failure(l.File, err)
	}
	return result{List: l.File, Status: statusOK, SignedBy: signer}
}

// checkList returns who signed a list. Content comes first: a list that the
// kernel would stop at is bad whoever signed it.
func (w *worker) checkList(l listdir.List) (signer string, err error) {
	content, err := w.dir.ReadInto(l.File, w.content)
	if err != nil {
		return "", err
	}
	w.content = content
	if err := w.checkContent(l, content); err != nil {
		return "", malformedError{err}
	}
	signer, err = w.checkSignature(l, content)
	if l.Format != rpmlist.Format || w.vendors == nil {
		return signer, err
	}
	vendor, vendorErr := w.checkVendor(l, content)
	switch {
	case vendorErr == nil && err == nil:
		return signer, nil
	case vendorErr == nil:
		return vendor, nil
	case errors.Is(vendorErr, imasig.ErrBadSignature):
		return "", fmt.Errorf("vendor: %w", vendorErr)
	case errors.Is(err, imasig.ErrNoSignature):
		return "", vendorErr
	}
	return signer, err
}

// checkContent parses a list. Lists of formats that only other programs know can
// still be checked for their signature.
func (w *worker) checkContent(l listdir.List, content []byte) error {
	if l.Type == compact.TypeKey {
		plain, _, _, err := imasig.SplitAppended(content)
		if err != nil {
			return err
		}
		var key imasig.Keyring
		return key.AddCertificate(plain, l.File)
	}
	if _, ok := w.formats.Lookup(l.Format); !ok {
		return nil
	}
	for _, err := range decode.Entries(w.formats, l.Name, content, parsers.Options{}) {
		return err // everything was checked before the first entry
	}
	return nil
}

func (w *worker) checkSignature(l listdir.List, content []byte) (string, error) {
	found, err := imasig.Find(filepath.Join(w.path, l.File), content)
	if err != nil {
		return "", err
	}
	verified, err := w.keys.Open(found, w.now)
	if err != nil {
		return "", err
	}
	return verified.Key.Name, nil
}

// checkVendor checks the vendor's signature of an rpm list.
func (w *worker) checkVendor(l listdir.List, content []byte) (string, error) {
	list, err := vendorsig.Find(w.path, l.File, content)
	if err != nil {
		return "", err
	}
	key, err := list.Verify(w.vendors, w.now)
	if err != nil {
		return "", err
	}
	return key.Name, nil
}
