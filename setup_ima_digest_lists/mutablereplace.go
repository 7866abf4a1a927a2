package main

import (
	"errors"
	"fmt"

	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/known"
	"digestlists/internal/listdir"
	"digestlists/internal/mutable"
	"digestlists/internal/securityfs"
	"digestlists/parsers"
	"digestlists/parsers/formats"
)

// replaceMutable puts copies in the place of files that have changed.
func (w *work) replaceMutable(store *mutable.Store) error {
	backups, err := store.Backups()
	if err != nil {
		return err
	}
	if len(backups) == 0 {
		return w.nothingToReplace(store)
	}
	dir, err := listdir.Open(w.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	all, err := pairs(dir, backups)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return w.nothingToReplace(store)
	}
	for _, p := range all {
		if err := checkCopies(dir, p); err != nil {
			return err
		}
	}
	for _, p := range all {
		replaced, err := p.backup.Restore()
		for _, name := range replaced {
			fmt.Fprintln(w.out, "replaced", name)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range all {
		if err := p.backup.Done(); err != nil {
			return err
		}
	}
	if err := mutable.WriteState(w.root, mutable.Nothing); err != nil {
		return err
	}
	w.sayNext("boot with appraisal enforced, before the files are written to")
	return nil
}

// nothingToReplace ends a replacement of which nothing is left to do: it was killed at
// its last step, or none was begun.
func (w *work) nothingToReplace(store *mutable.Store) error {
	done, err := store.All()
	if err != nil {
		return err
	}
	if state, err := mutable.ReadState(w.root); err != nil || state == mutable.Replace && len(done) > 0 {
		return sequence(err, func() error { return mutable.WriteState(w.root, mutable.Nothing) })
	}
	err = command.WithCode(command.ExitNothing, fmt.Errorf("%s: no copies of a list that are yet to be put back", w.root.Path(mutable.Dir)))
	if len(done) > 0 {
		return command.WithHint(err, "copies that were put back are used again without .orig at the end of their name")
	}
	return err
}

// checkCopies refuses to put back what the list does not have.
func checkCopies(dir *listdir.Dir, p pair) error {
	content, err := dir.ReadInto(p.list.File, nil)
	if err != nil {
		return err
	}
	set := make(known.Set)
	if err := set.Add(decode.Entries(formats.Lists(), p.list.Name, content, parsers.Options{})); err != nil {
		return fmt.Errorf("%s: %w", p.list, err)
	}
	a, err := listAlgorithm(dir, p.list)
	if err != nil {
		return fmt.Errorf("%s: %w", p.list, err)
	}
	err = p.backup.Check(a, func(digest []byte) bool { return set.Has(a, digest) })
	if !errors.Is(err, mutable.ErrNotListed) {
		return err
	}
	return command.WithHint(command.WithCode(command.ExitFailed, err), "mutable -u makes list and copies the same")
}

// signMutable signs those lists of mutable files that have no good signature.
func (w *work) signMutable() error {
	store, backups, err := w.copies()
	if err != nil {
		return err
	}
	defer store.Close()
	return w.change(func(tx *listdir.Tx) error {
		all, err := pairs(tx.Dir(), backups)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return command.WithCode(command.ExitNothing, errors.New("there is no list of mutable files to sign"))
		}
		for _, p := range all {
			if err := w.signUnsigned(tx, p.list); err != nil {
				return err
			}
		}
		return nil
	})
}

// vouch has the kernel's EVM vouch for the mutable files that are as they were listed.
func (w *work) vouch() error {
	does, err := securityfs.EVM(w.root.Path(securityfs.MountPoint))
	if err != nil {
		return err
	}
	if does&securityfs.EVMHMAC == 0 {
		return command.WithHint(fmt.Errorf("EVM has no key for HMACs: it is set to %d", does), "load the key, then enable EVM")
	}
	store, backups, err := w.copies()
	if err != nil {
		return err
	}
	defer store.Close()
	for _, b := range backups {
		done, changed, err := b.Vouch(w.algorithm)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.out, "%s: %d files\n", b.Name, len(done))
		for _, name := range changed {
			w.Problem(fmt.Errorf("%s has changed since it was listed", name))
		}
	}
	return w.Result()
}
