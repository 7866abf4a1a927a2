package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/atomicfile"
)

func fill(text string, err error) func(io.Writer) error {
	return func(w io.Writer) error {
		_, writeErr := io.WriteString(w, text)
		return errors.Join(writeErr, err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFailureLeavesTheOldFileAndNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfile.Write(path, 0o640, fill("old", nil)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := atomicfile.Write(path, 0o640, fill("half", broken)); !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("content %q, want the old one", got)
	}
	if err := atomicfile.Write(path, 0o640, fill("new", nil)); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "new" {
		t.Errorf("content %q, want the new one, not a tail of the old", got)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestDevicesAreWrittenTo(t *testing.T) {
	if err := atomicfile.Write(os.DevNull, 0o600, fill("gone", nil)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s was replaced: %v, %v", os.DevNull, info.Mode(), err)
	}
}

// What a killed run has left, or somebody has put there, is not written to; what fails leaves nothing.
func TestWriteAs(t *testing.T) {
	dir := t.TempDir()
	path, temp, other := filepath.Join(dir, "file"), filepath.Join(dir, "file"+atomicfile.Unfinished), filepath.Join(dir, "other")
	if err := errors.Join(os.WriteFile(other, []byte("other"), 0o600), os.Symlink(other, temp)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.WriteAs(temp, path, []byte("new"), 0o604); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o604 || content(t, path) != "new" || content(t, other) != "other" {
		t.Errorf("%v, %v, %q, %q", info, err, content(t, path), content(t, other))
	}
	if err := atomicfile.WriteAs(temp, dir, []byte("new"), 0o604); err == nil {
		t.Error("a folder was replaced")
	}
	if left, err := os.ReadDir(dir); len(left) != 2 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}
