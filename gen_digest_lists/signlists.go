package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/pgp"
	"digestlists/internal/progress"
	"digestlists/internal/vendorsig"
	"digestlists/parsers/rpmlist"

	"golang.org/x/sync/errgroup"
)

// signLists signs lists that are in the directory: those named with -i, or those
// of the type, at the position if there is one.
func (r *request) signLists(ctx context.Context, tx *listdir.Tx, line *progress.Line) error {
	files, err := r.listsToSign(tx.Dir())
	if err != nil {
		return err
	}
	signatures := make([]signature, len(files))
	workers, _ := errgroup.WithContext(ctx)
	workers.SetLimit(r.jobs)
	for i, file := range files {
		workers.Go(func() (err error) {
			signatures[i], err = r.signFile(tx.Dir(), file)
			line.Add(1)
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	for _, s := range signatures {
		if err := r.putSignature(tx, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *request) listsToSign(dir *listdir.Dir) ([]string, error) {
	var files []string
	if len(r.inputs) > 0 {
		for _, input := range r.inputs {
			name, err := r.listName(input)
			if err != nil {
				return nil, err
			}
			files = append(files, name)
		}
		return files, nil
	}
	for _, l := range dir.Lists() {
		if l.Type == r.listType && (r.position < 0 || l.Position == r.position) {
			files = append(files, l.File)
		}
	}
	if len(files) == 0 {
		return nil, command.WithCode(command.ExitNothing, fmt.Errorf("%s: no %s list to sign", r.dir, r.listType))
	}
	return files, nil
}

// listName accepts the name of a list, or its path in the directory.
func (r *request) listName(input string) (string, error) {
	dir, base := filepath.Split(input)
	if dir != "" && filepath.Clean(dir) != filepath.Clean(r.dir) {
		return "", command.Usagef("%s: not in the digest list directory %s", input, r.dir)
	}
	if _, ok := listdir.ParseName(base); !ok {
		return "", command.Usagef("%q: not the name of a list", base)
	}
	return base, nil
}

// A signature is one that was made for a list of the directory.
type signature struct {
	file    string
	content []byte // with the signature appended; nil if it stays as it is
	value   []byte
	vendor  []byte // the vendor's signature, to be kept apart; nil if it stays or there is none
}

func (r *request) signFile(dir *listdir.Dir, file string) (signature, error) {
	content, err := dir.ReadInto(file, nil)
	if err != nil {
		return signature{}, err
	}
	// A second appended signature would cover the first: replace it.
	plain, _, _, err := imasig.SplitAppended(content)
	if err != nil {
		return signature{}, fmt.Errorf("%s: %w", file, err)
	}
	vendor, plain, err := r.keepVendor(dir, file, plain)
	if err != nil {
		return signature{}, fmt.Errorf("%s: the vendor's signature: %w", file, err)
	}
	stored, value, err := r.sign(plain)
	if err != nil {
		return signature{}, fmt.Errorf("sign %s: %w", file, err)
	}
	s := signature{file: file, value: value, vendor: vendor}
	if r.signing.appended || len(content) != len(plain) {
		s.content = stored
	}
	return s, nil
}

// keepVendor returns the vendor's signature of an rpm list, which is not to be lost where ours
// takes its place, and the list without it.
func (r *request) keepVendor(dir *listdir.Dir, file string, plain []byte) (vendor, header []byte, err error) {
	if name, _ := listdir.ParseName(file); name.Format != rpmlist.Format {
		return nil, plain, nil
	}
	list, err := vendorsig.Find(r.dir, file, plain)
	if err != nil || list.Form == vendorsig.None {
		return nil, plain, err
	}
	vendor, err = list.Packets(new(pgp.Keyring))
	var unknown *imasig.UnknownKeyError
	if errors.As(err, &unknown) {
		err = command.WithHint(err, "manage_digest_lists -p convert-rpm apart --rpm-keys FILE moves it out of the way")
	}
	return vendor, list.Header, err
}

func (r *request) putSignature(tx *listdir.Tx, s signature) error {
	if s.content != nil {
		staged, err := tx.Stage(s.content)
		if err != nil {
			return err
		}
		if s.vendor != nil {
			if err := staged.AddSignature(listdir.Apart, vendorsig.Suffix, s.vendor); err != nil {
				return err
			}
		}
		if err := tx.Replace(s.file, staged); err != nil {
			return err
		}
	}
	switch {
	case s.value == nil:
		return nil
	case r.signing.detached:
		return tx.AddSignature(s.file, listdir.Apart, detachedSuffix, s.value)
	}
	return attributeError(tx.SetXattr(s.file, attributeName, s.value))
}
