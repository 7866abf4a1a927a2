package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/internal/mutable"
	"digestlists/parsers"
	"digestlists/parsers/formats"
)

// bootUnit does at boot what the state says.
const bootUnit = "setup-ima-digest-lists.service"

// listMutable makes a list of copies of files.
//
// Killed between two of its steps, it leaves copies without a list, or a state without
// work: both are in nobody's way, and the same call makes the list.
func (w *work) listMutable(files []string) (err error) {
	before, err := mutable.ReadState(w.root)
	if err != nil {
		return err
	}
	store, copies, err := w.copies()
	if err != nil {
		return err
	}
	defer store.Close()
	backup, busy, err := store.Take(files)
	if err != nil {
		return err
	}
	content, err := w.mutableList(backup, w.algorithm)
	if err != nil {
		return err
	}
	err = w.change(func(tx *listdir.Tx) error {
		staged, err := w.stage(tx, content)
		if err != nil {
			return err
		}
		name, err := w.appendNew(tx, "mutable", staged, copies...)
		if err != nil {
			return err
		}
		if err := backup.Rename(name.String()); err != nil {
			return err
		}
		return mutable.WriteState(w.root, mutable.Update)
	})
	if errors.Is(err, listdir.ErrInPlace) {
		return err // the list is there, and needs its copies
	}
	if err != nil {
		return errors.Join(err, backup.Remove(), w.undoState(before))
	}
	w.sayBusy(busy)
	w.sayNext("boot, so that files that change until then are copied again")
	if !w.hasUnit() {
		w.Warn("%s is not installed: run setup_ima_digest_lists mutable early in that boot", bootUnit)
	}
	return nil
}

func (w *work) undoState(before mutable.State) error {
	now, err := mutable.ReadState(w.root)
	if err != nil || now == before {
		return err
	}
	return mutable.WriteState(w.root, before)
}

func (w *work) hasUnit() bool {
	return slices.ContainsFunc([]string{"/usr/lib/systemd/system/", "/lib/systemd/system/", "/etc/systemd/system/"}, func(dir string) bool {
		_, err := os.Stat(w.root.Path(dir + bootUnit))
		return err == nil
	})
}

func (w *work) sayNext(what string) { fmt.Fprintln(w.out, "next:", what) }

func (w *work) sayBusy(busy []string) {
	for _, name := range busy {
		w.Warn("%s is open for writing: its copy may be from between two writes", name)
	}
}

func (w *work) mutableList(b *mutable.Backup, a compact.Algorithm) ([]byte, error) {
	sums, err := b.Sums(a)
	if err != nil {
		return nil, err
	}
	return compactList(compact.Block{Type: compact.TypeFile, Algorithm: a}, sums)
}

// A pair is a list and the copies of its files.
type pair struct {
	list   listdir.List
	backup *mutable.Backup
}

// pairs joins copies with their lists. Copies whose list is gone are left alone.
func pairs(dir *listdir.Dir, backups []*mutable.Backup) ([]pair, error) {
	var all []pair
	for _, b := range backups {
		for _, l := range dir.Lists() {
			if b.Of(l.Name) {
				all = append(all, pair{l, b})
			}
		}
	}
	for i, p := range all {
		if j := slices.IndexFunc(all[:i], func(q pair) bool { return q.backup == p.backup }); j >= 0 {
			return nil, fmt.Errorf("%s: %s and %s have the same name", dir.Path(), all[j].list, p.list)
		}
	}
	return all, nil
}

// updateMutable copies the files that have changed, and makes the lists follow.
func (w *work) updateMutable(store *mutable.Store) error {
	backups, err := store.Backups()
	if err != nil {
		return err
	}
	var all []pair
	err = w.change(func(tx *listdir.Tx) (err error) {
		if all, err = pairs(tx.Dir(), backups); err != nil {
			return err
		}
		for _, p := range all {
			if err := w.update(tx, p); err != nil {
				return fmt.Errorf("%s: %w", p.list, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, b := range backups {
		if !slices.ContainsFunc(all, func(p pair) bool { return p.backup == b }) {
			w.Warn("there is no list of the copies in %s, which can be removed", w.root.Path(mutable.Dir+"/"+b.Name))
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(w.out, "there are no copies of mutable files with a list")
		return mutable.WriteState(w.root, mutable.Nothing)
	}
	for _, p := range all {
		if err := p.backup.RemoveEmpty(); err != nil {
			return err
		}
	}
	if err := mutable.WriteState(w.root, mutable.Replace); err != nil {
		return err
	}
	w.sayNext("sign what changed (mutable -s -v KEY -x CERT), then boot without appraisal, so that the copies are put in place")
	return nil
}

// update makes one list follow its files. The digests are always those of the copies that
// are there, which a run that was killed may have made.
func (w *work) update(tx *listdir.Tx, p pair) error {
	changes, err := p.backup.Refresh()
	if err != nil {
		return err
	}
	for _, name := range changes.Gone {
		fmt.Fprintln(w.out, "gone", name)
	}
	for _, name := range changes.Changed {
		fmt.Fprintln(w.out, "copied", name)
	}
	w.sayBusy(changes.Busy)
	a, err := listAlgorithm(tx.Dir(), p.list)
	if err != nil {
		return err
	}
	content, err := w.mutableList(p.backup, a)
	if err != nil {
		return err
	}
	if len(content) == 0 {
		return tx.RemoveName(p.list.File)
	}
	if same, err := hasContent(tx.Dir(), p.list, content); err != nil || same {
		return sequence(err, func() error { return w.signUnsigned(tx, p.list) })
	}
	staged, err := w.stage(tx, content)
	if err != nil {
		return err
	}
	return tx.Replace(p.list.File, staged)
}

// listAlgorithm returns the algorithm of the digests in a list.
func listAlgorithm(dir *listdir.Dir, l listdir.List) (compact.Algorithm, error) {
	content, err := dir.ReadInto(l.File, nil)
	if err != nil {
		return 0, err
	}
	for e, err := range decode.Entries(formats.Lists(), l.Name, content, parsers.Options{}) {
		if err != nil {
			return 0, err
		}
		return e.Algorithm, nil
	}
	return 0, errors.New("the list has no digest")
}

// copies opens the folder of copies, and returns those that have not been put back.
func (w *work) copies() (*mutable.Store, []*mutable.Backup, error) {
	store, err := mutable.Open(w.root)
	if err != nil {
		return nil, nil, err
	}
	all, err := store.All()
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return store, all, nil
}
