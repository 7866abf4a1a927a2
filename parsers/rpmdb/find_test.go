package rpmdb

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"digestlists/internal/fixtures"
)

// tree describes files by content and, with an arrow, links.
type fileTree []string

func (tree fileTree) make(t *testing.T) (root string) {
	root = filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, line := range tree {
		if name, target, ok := strings.Cut(line, " -> "); ok {
			path := filepath.Join(root, name)
			os.MkdirAll(filepath.Dir(path), 0o755)
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		name, content, _ := strings.Cut(line, "=")
		mustWrite(t, filepath.Join(root, name), []byte(content))
	}
	return root
}

// listing is every path below a folder, with what a write would change.
func listing(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all = append(all, path+" "+info.Mode().String()+" "+info.ModTime().String())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFind(t *testing.T) {
	for _, test := range []struct {
		name string
		tree fileTree
		want string
		err  error
	}{
		{"sqlite", fileTree{"var/lib/rpm/rpmdb.sqlite=x"}, "var/lib/rpm/rpmdb.sqlite", nil},
		{"ndb", fileTree{"usr/lib/sysimage/rpm/Packages.db=x"}, "usr/lib/sysimage/rpm/Packages.db", nil},
		{"bdb", fileTree{"usr/share/rpm/Packages=x"}, "usr/share/rpm/Packages", nil},
		{"relative link", fileTree{"usr/lib/sysimage/rpm/rpmdb.sqlite=x", "var/lib/rpm -> ../../usr/lib/sysimage/rpm"}, "usr/lib/sysimage/rpm/rpmdb.sqlite", nil},
		{"absolute link", fileTree{"usr/lib/sysimage/rpm/rpmdb.sqlite=x", "var/lib/rpm -> /usr/lib/sysimage/rpm"}, "usr/lib/sysimage/rpm/rpmdb.sqlite", nil},
		{"link out of the root", fileTree{"db/Packages=x", "var/lib/rpm -> ../../../../../../../../../db"}, "db/Packages", nil},
		{"link to a link to a file", fileTree{"data/db=x", "two -> /data/db", "var/lib/rpm/Packages -> ../../../two"}, "data/db", nil},
		{"linked parent", fileTree{"srv/lib/rpm/Packages=x", "var -> srv/"}, "srv/lib/rpm/Packages", nil},
		{"the same file twice", fileTree{"var/lib/rpm/Packages=x", "usr/share/rpm/Packages -> /var/lib/rpm/Packages"}, "var/lib/rpm/Packages", nil},
		{"an empty one beside", fileTree{"var/lib/rpm/Packages=", "usr/share/rpm/rpmdb.sqlite=x"}, "usr/share/rpm/rpmdb.sqlite", nil},
		{"several", fileTree{"var/lib/rpm/Packages=x", "usr/share/rpm/rpmdb.sqlite=x"}, "", ErrAmbiguous},
		{"several in one folder", fileTree{"var/lib/rpm/Packages=x", "var/lib/rpm/rpmdb.sqlite=x"}, "", ErrAmbiguous},
		{"none", nil, "", ErrNoDatabase},
		{"only an empty one", fileTree{"var/lib/rpm/Packages="}, "", ErrNoDatabase},
		{"dangling link", fileTree{"var/lib/rpm -> nowhere"}, "", ErrNoDatabase},
		{"link loop", fileTree{"var/lib/rpm -> rpm"}, "", syscall.ELOOP},
		{"file for a folder", fileTree{"var/lib=x"}, "", ErrNoDatabase},
		{"other files", fileTree{"var/lib/rpm/Name=x", "var/lib/rpm/__db.001=x"}, "", ErrNoDatabase},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := test.tree.make(t)
			before := listing(t, root)
			got, err := Find(root)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			if test.err == nil && got != filepath.Join(root, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if after := listing(t, root); !slices.Equal(before, after) {
				t.Errorf("the root was changed:\n%q\n%q", before, after)
			}
		})
	}
}

func TestFindNamesWhereItLooked(t *testing.T) {
	_, err := Find(t.TempDir())
	for _, part := range []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm", "Packages.db"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
	if _, err := Find(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing root: %v", err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	sqlite := mustRead(t, "testdata/sqlite/rpmdb.sqlite")
	disguised := mustWrite(t, filepath.Join(dir, "Packages"), sqlite)
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	two := filepath.Join(dir, "two")
	mustWrite(t, filepath.Join(two, "rpmdb.sqlite"), sqlite)
	mustWrite(t, filepath.Join(two, "Packages"), sqlite)

	for _, test := range []struct {
		name, path string
		want       Backend
		err        error
	}{
		{"folder", "testdata/sqlite", SQLite, nil},
		{"file", "testdata/ndb/Packages.db", NDB, nil},
		{"big-endian", filepath.Join(fixtures.Databases(t), "ubi8-s390x"), BerkeleyDB, nil},
		{"by content", disguised, SQLite, nil},
		{"missing", filepath.Join(dir, "missing"), 0, os.ErrNotExist},
		{"folder without", "testdata", 0, ErrNoDatabase},
		{"folder with two", two, 0, ErrAmbiguous},
		{"empty", mustWrite(t, filepath.Join(dir, "empty"), nil), 0, ErrNoDatabase},
		{"short", mustWrite(t, filepath.Join(dir, "short"), []byte("Rpm")), 0, ErrNoDatabase},
		{"text", "testdata/README", 0, ErrNoDatabase},
		{"fifo", fifo, 0, ErrNoDatabase},
		{"device", "/dev/zero", 0, ErrNoDatabase},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, err := Open(test.path)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			if err == nil && db.Backend != test.want {
				t.Errorf("got %v, want %v", db.Backend, test.want)
			}
			if err != nil && (db != nil || !strings.Contains(err.Error(), filepath.Base(test.path))) {
				t.Errorf("got %v and %v, which does not name %q", db, err, test.path)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing database was made")
	}
}
