package listdir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
)

// makeLists makes a list directory whose files hold their own names. "a>b" is a
// symbolic link.
func makeLists(t testing.TB, files ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lists")
	fill(t, dir, files...)
	return dir
}

func fill(t testing.TB, dir string, files ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		err := error(nil)
		if name, target, ok := strings.Cut(f, ">"); ok {
			err = os.Symlink(target, filepath.Join(dir, name))
		} else {
			err = os.WriteFile(filepath.Join(dir, f), []byte(f), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// state returns what a directory holds, one string a file: "name" for a file
// that holds its own name, "name=content" for any other, "name>target" for a
// link, "name/…" for what is in a folder. A missing directory is nil.
func state(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			all = append(all, e.Name()+"/")
			for _, s := range state(t, path) {
				all = append(all, e.Name()+"/"+s)
			}
		case e.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e.Name()+">"+target)
		case e.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if s := string(content); s != e.Name() {
				all = append(all, e.Name()+"="+s)
			} else {
				all = append(all, s)
			}
		default:
			all = append(all, e.Name()+"|")
		}
	}
	slices.Sort(all)
	return all
}

// expect compares the state of a directory, in any order.
func expect(t testing.TB, dir string, want ...string) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	if got := state(t, dir); !slices.Equal(got, want) {
		t.Errorf("%s holds\n\t%q, want\n\t%q", filepath.Base(dir), got, want)
	}
}

// expectClean checks that nothing but the named files is beside the directory.
func expectClean(t testing.TB, dir string, others ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(dir) && !slices.Contains(others, e.Name()) {
			t.Errorf("left behind: %q", e.Name())
		}
	}
}

func begin(t testing.TB, dir string) *Tx {
	t.Helper()
	tx, err := Begin(dir, Options{Wait: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Close() })
	return tx
}

func stage(t testing.TB, tx *Tx, content string) *Staged {
	t.Helper()
	s, err := tx.Stage([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func commit(t testing.TB, tx *Tx) Summary {
	t.Helper()
	s, err := tx.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fileName(position int, label string) Name {
	return Name{Position: position, Type: compact.TypeFile, Format: "rpm", Label: label}
}
