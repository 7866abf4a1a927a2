package mutable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/inroot"

	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// system makes a root with files, by their names and contents.
func system(t *testing.T, files map[string]string) *inroot.Root {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(content), 0o644))
	}
	root, err := inroot.Open(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

func open(t *testing.T, path string, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flags, 0o644)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// While a file is read under a lease, nobody can open it for writing.
func TestStableKeepsWritersOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte("content"), 0o644))
	f := open(t, path, os.O_RDONLY)
	busy, err := stable(f, func() error {
		if _, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, unix.EAGAIN) {
			t.Errorf("a writer while the file is read: %v", err)
		}
		return nil
	})
	if busy || err != nil {
		t.Errorf("busy %v, %v", busy, err)
	}
	open(t, path, os.O_WRONLY|unix.O_NONBLOCK) // afterwards it can
}

// A file that somebody has open for writing is taken if it does not change, and told of.
func TestStableWithWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	writer := open(t, path, os.O_RDWR|os.O_CREATE)
	f := open(t, path, os.O_RDONLY)
	if busy, err := stable(f, func() error { return nil }); !busy || err != nil {
		t.Errorf("open for writing: busy %v, %v", busy, err)
	}
	// It is read again until it does not change meanwhile.
	runs := 0
	busy, err := stable(f, func() error {
		if runs++; runs < 3 {
			_, err := io.WriteString(writer, "more")
			return err
		}
		return nil
	})
	if runs != 3 || !busy || err != nil {
		t.Errorf("read %d times, busy %v, %v", runs, busy, err)
	}
	_, err = stable(f, func() error {
		_, err := io.WriteString(writer, "more")
		return err
	})
	if !errors.Is(err, ErrChanging) || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that changes all the time: %v", err)
	}
}

// A copy has the length of the last try.
func TestCopyStable(t *testing.T) {
	dir := t.TempDir()
	src := open(t, filepath.Join(dir, "src"), os.O_RDWR|os.O_CREATE)
	dst := open(t, filepath.Join(dir, "dst"), os.O_RDWR|os.O_CREATE)
	for _, content := range []string{"a long content", "short", ""} {
		must(t, src.Truncate(0))
		_, err := src.WriteAt([]byte(content), 0)
		must(t, err)
		_, err = copyStable(dst, src)
		must(t, err)
		got, err := os.ReadFile(dst.Name())
		if string(got) != content || err != nil {
			t.Errorf("copy of %q: %q, %v", content, got, err)
		}
	}
}

func TestOnlyOneRun(t *testing.T) {
	root := system(t, nil)
	store, err := Open(root)
	must(t, err)
	if _, err := Open(root); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("second run: %v", err)
	}
	must(t, store.Close())
	store, err = Open(root)
	must(t, err)
	must(t, store.Close())
}

// Whatever is in the folder besides copies is left alone, and a link in place of the folder
// refused.
func TestOpenFolder(t *testing.T) {
	root := system(t, map[string]string{"backup/README": "mine", "backup/other/file": "mine", "elsewhere/x": ""})
	must(t, os.Chmod(root.Path(Dir), 0o755))
	store, err := Open(root)
	must(t, err)
	backups, err := store.Backups()
	if len(backups) != 0 || err != nil {
		t.Errorf("backups %v, %v", backups, err)
	}
	must(t, store.Close())
	if _, err := os.Stat(root.Path("backup/other/file")); err != nil {
		t.Error(err)
	}
	must(t, os.RemoveAll(root.Path(Dir)))
	must(t, os.Symlink("elsewhere", root.Path(Dir)))
	if _, err := Open(root); err == nil {
		t.Error("a link was opened")
	}
}

// What a killed run left is removed, and files that are too large for the disk are refused
// before one is copied.
func TestTakeNeedsRoom(t *testing.T) {
	root := system(t, map[string]string{"small": "small", "backup/.new/left": "half"})
	must(t, os.Chmod(root.Path(Dir), 0o700))
	large, err := os.Create(root.Path("large"))
	must(t, err)
	must(t, large.Truncate(1<<43)) // all of it a hole
	must(t, large.Close())
	store, err := Open(root)
	must(t, err)
	defer store.Close()
	if _, _, err := store.Take([]string{"/small", "/large"}); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "8388608 MiB") {
		t.Errorf("too large: %v", err)
	}
	entries, err := os.ReadDir(root.Path(Dir))
	if len(entries) != 0 || err != nil {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// Folders that are gone are made again as they were.
func TestRestoreFolders(t *testing.T) {
	root := system(t, map[string]string{"var/lib/app/data/file": "content"})
	must(t, os.Chmod(root.Path("var/lib/app"), 0o711))
	must(t, os.Chown(root.Path("var/lib/app/data"), 7, 8))
	store, err := Open(root)
	must(t, err)
	defer store.Close()
	b, busy, err := store.Take([]string{"/var/lib/app/data/file"})
	must(t, err)
	if len(busy) != 0 {
		t.Errorf("busy %q", busy)
	}
	must(t, b.Rename("0-file_list-compact-x"))
	sums, err := b.Sums(compact.SHA256)
	must(t, err)
	want, err := hashes.Sum(compact.SHA256, []byte("content"))
	must(t, err)
	if len(sums) != 1 || !slices.Equal(sums[0], want) {
		t.Errorf("sums %x, want %x", sums, want)
	}
	must(t, os.RemoveAll(root.Path("var/lib/app")))
	replaced, err := b.Restore()
	if !slices.Equal(replaced, []string{"/var/lib/app/data/file"}) || err != nil {
		t.Errorf("replaced %q, %v", replaced, err)
	}
	app, err := os.Stat(root.Path("var/lib/app"))
	must(t, err)
	var data unix.Stat_t
	must(t, unix.Stat(root.Path("var/lib/app/data"), &data))
	if app.Mode().Perm() != 0o711 || data.Uid != 7 || data.Gid != 8 {
		t.Errorf("mode %v, owner %d:%d", app.Mode(), data.Uid, data.Gid)
	}
	if replaced, err := b.Restore(); len(replaced) != 0 || err != nil {
		t.Errorf("again: %q, %v", replaced, err)
	}
}

// A folder in the place of a file is an error that names it.
func TestRestoreOverFolder(t *testing.T) {
	root := system(t, map[string]string{"file": "content"})
	store, err := Open(root)
	must(t, err)
	defer store.Close()
	b, _, err := store.Take([]string{"/file"})
	must(t, err)
	must(t, os.Remove(root.Path("file")))
	must(t, os.Mkdir(root.Path("file"), 0o755))
	if _, err := b.Restore(); err == nil || !strings.Contains(err.Error(), "put back /file") {
		t.Errorf("folder in the place: %v", err)
	}
	left, err := filepath.Glob(root.Path(".digestlist-*"))
	if len(left) != 0 || err != nil {
		t.Errorf("left: %q, %v", left, err)
	}
}
