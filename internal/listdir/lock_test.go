package listdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"digestlists/compact"
)

func TestInUse(t *testing.T) {
	for _, missing := range []bool{false, true} {
		dir := makeLists(t)
		if missing {
			must(t, os.Remove(dir))
		}
		first := begin(t, dir)
		if _, err := Begin(dir, Options{Wait: -1}); !errors.Is(err, ErrInUse) {
			t.Errorf("missing %v: second transaction: %v", missing, err)
		}
		dry, err := Begin(dir, Options{DryRun: true})
		must(t, err, dry.Close())
		must(t, appendNew(fileName(0, "x"))(t, first), appendNew(fileName(0, "y"))(t, first))
		commit(t, first)
		begin(t, dir).Close()
	}
}

// Writers that start together each get their turn, although every commit
// replaces the directory they are waiting for, and the first one makes it.
func TestWriters(t *testing.T) {
	const writers, rounds = 4, 5
	for _, missing := range []bool{false, true} {
		dir := makeLists(t)
		if missing {
			must(t, os.Remove(dir))
		}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for r := range rounds {
					tx, err := Begin(dir, Options{Wait: time.Minute})
					if err != nil {
						t.Error(err)
						return
					}
					for _, half := range "ab" {
						if err := appendNew(fileName(0, fmt.Sprintf("%d-%d-%c", w, r, half)))(t, tx); err != nil {
							t.Error(err)
						}
					}
					if _, err := tx.Commit(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		d, err := Open(dir)
		must(t, err)
		for i, l := range d.Lists() {
			if l.Position != i {
				t.Errorf("list %d is %q", i, l)
			}
			// Both lists of a transaction are there, one after the other.
			if i%2 == 1 && l.Label[:3] != d.Lists()[i-1].Label[:3] {
				t.Errorf("%q follows %q", l, d.Lists()[i-1])
			}
		}
		if n := len(d.Lists()); n != 2*writers*rounds {
			t.Errorf("%d lists, want %d", n, 2*writers*rounds)
		}
		d.Close()
		expectClean(t, dir)
	}
}

// What a program without a lock does meanwhile is not overwritten.
func TestChangedMeanwhile(t *testing.T) {
	long := time.Unix(1, 0)
	changes := map[string]func(dir string) error{
		"new file": func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), []byte("x"), 0o644) },
		"removed":  func(dir string) error { return os.Remove(filepath.Join(dir, "0-file_list-rpm-a")) },
		"replaced": func(dir string) error { return errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755)) },
		"gone":     func(dir string) error { return os.RemoveAll(dir) },
	}
	for name, change := range changes {
		for lists := 1; lists <= 2; lists++ { // with one, only an entry is changed
			dir := makeLists(t, "0-file_list-rpm-a")
			must(t, os.Chtimes(dir, long, long))
			tx := begin(t, dir)
			for range lists {
				must(t, appendNew(fileName(0, "x"))(t, tx))
			}
			must(t, change(dir))
			after := state(t, dir)
			if _, err := tx.Commit(); !errors.Is(err, ErrChanged) {
				t.Errorf("%s: %v", name, err)
			}
			if got := state(t, dir); !slices.Equal(got, after) {
				t.Errorf("%s: the directory holds %q, want %q", name, got, after)
			}
			expectClean(t, dir, "lists.old")
		}
	}

	dir := makeLists(t)
	must(t, os.Remove(dir))
	tx := begin(t, dir)
	must(t, appendNew(fileName(0, "x"))(t, tx))
	fill(t, dir, "other")
	if _, err := tx.Commit(); !errors.Is(err, ErrChanged) {
		t.Errorf("made by somebody else: %v", err)
	}
	expect(t, dir, "other")
}

// A reader that is at work when the directory is replaced sees the old lists,
// or is told.
func TestReaderMeanwhile(t *testing.T) {
	dir := makeLists(t, "0-file_list-rpm-a", "1-file_list-rpm-b")
	d, err := Open(dir)
	must(t, err)
	defer d.Close()
	f, err := d.OpenList("0-file_list-rpm-a")
	must(t, err)
	defer f.Close()
	tx := begin(t, dir)
	must(t, tx.Remove(compact.TypeFile, 0))
	commit(t, tx)
	if got, err := f.ReadInto(nil); err != nil || string(got) != "0-file_list-rpm-a" {
		t.Errorf("open list: %q, %v", got, err)
	}
	if _, err := d.ReadInto("1-file_list-rpm-b", nil); !errors.Is(err, ErrChanged) {
		t.Errorf("list that is gone: %v", err)
	}
}

// Workers stage in any order; the lists come out in the order they are added.
func TestStageConcurrently(t *testing.T) {
	const n = 300
	dir := makeLists(t)
	tx := begin(t, dir)
	staged := make([]*Staged, n)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < n; i += 4 {
				s, err := tx.Stage([]byte(fileName(i, "x").String()))
				if err == nil {
					err = errors.Join(s.SetXattr("user.i", []byte{byte(i)}), s.AddSignature(Beside, ".sig", []byte(fileName(i, "x").String()+".sig")))
				}
				if err != nil {
					t.Error(err)
				}
				staged[i] = s
			}
		})
	}
	wg.Wait()
	var want []string
	for _, s := range staged {
		name, err := tx.Append(fileName(0, "x"), s)
		must(t, err)
		want = append(want, name.String(), name.String()+".sig")
	}
	commit(t, tx)
	expect(t, dir, want...)
	if got := attribute(t, filepath.Join(dir, fileName(7, "x").String()), "user.i"); !slices.Equal(got, []byte{7}) {
		t.Errorf("attribute %v", got)
	}
}
