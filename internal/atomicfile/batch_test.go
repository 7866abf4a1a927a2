package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"digestlists/internal/atomicfile"
)

func put(text string) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.WriteString(text)
		return err
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestBatch(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "new/deep/b")
	check(t, os.WriteFile(a, []byte("old"), 0o600))
	var batch atomicfile.Batch
	check(t, batch.MakeFolders(filepath.Dir(b)))
	check(t, batch.Add(a, 0o644, put("new a")))
	check(t, batch.Add(b, 0o600, put("new b")))
	if _, err := os.Stat(b); content(t, a) != "old" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before Commit: %q, %v", content(t, a), err)
	}
	check(t, batch.Commit())
	batch.Discard()
	if content(t, a) != "new a" || content(t, b) != "new b" {
		t.Errorf("%q, %q", content(t, a), content(t, b))
	}
	if info, err := os.Stat(b); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "there"), 0o755))
	var batch atomicfile.Batch
	check(t, batch.MakeFolders(filepath.Join(dir, "there/a/b")))
	check(t, batch.Add(filepath.Join(dir, "there/a/b/file"), 0o644, put("x")))
	broken := errors.New("broken")
	if err := batch.Add(filepath.Join(dir, "there/file"), 0o644, func(*os.File) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := batch.MakeFolders("/dev/null/folder"); err == nil {
		t.Error("a folder in a device")
	}
	batch.Discard()
	left, err := filepath.Glob(filepath.Join(dir, "there/*"))
	if _, missing := os.Stat(filepath.Join(dir, "there")); err != nil || len(left) > 0 || missing != nil {
		t.Errorf("left: %q, %v, %v", left, err, missing)
	}
}

// Where one file cannot get its name, those that are new do not either.
func TestFailedCommit(t *testing.T) {
	dir := t.TempDir()
	check(t, os.MkdirAll(filepath.Join(dir, "folder/in/the/way"), 0o755))
	var batch atomicfile.Batch
	for _, name := range []string{"a", "b", "folder"} {
		check(t, batch.Add(filepath.Join(dir, name), 0o644, put("x")))
	}
	err := batch.Commit()
	batch.Discard()
	if left, globErr := filepath.Glob(filepath.Join(dir, "*")); err == nil || globErr != nil || len(left) != 1 {
		t.Errorf("%v; left: %q", err, left)
	}
	if left, globErr := filepath.Glob(filepath.Join(dir, ".*")); globErr != nil || len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// What is written is durable before it has its name, and then the name is: once, however many files there are.
func TestDurable(t *testing.T) {
	const environment = "ATOMICFILE_TEST_FILES"
	if files := filepath.SplitList(os.Getenv(environment)); len(files) > 0 {
		var batch atomicfile.Batch
		for _, f := range files {
			check(t, batch.Add(f, 0o644, put("x")))
		}
		check(t, batch.Commit())
		return
	}
	for want, files := range map[string][]string{
		"fsync rename fsync ": {"a"}, "syncfs rename rename rename fsync ": {"a", "b", "c"},
	} {
		dir := t.TempDir()
		log := filepath.Join(dir, "trace")
		for i := range files {
			files[i] = filepath.Join(dir, files[i])
		}
		cmd := exec.Command("strace", "-f", "-qq", "-o", log, "-e", "signal=none", "-e", "trace=/^(fsync|syncfs|rename)", os.Args[0], "-test.run=^TestDurable$")
		cmd.Env = append(os.Environ(), environment+"="+strings.Join(files, string(filepath.ListSeparator)))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := ""
		for _, call := range regexp.MustCompile(`(?m)^\d+ +(fsync|syncfs|rename)`).FindAllStringSubmatch(content(t, log), -1) {
			got += call[1] + " "
		}
		if got != want {
			t.Errorf("calls %q, want %q", got, want)
		}
	}
}
