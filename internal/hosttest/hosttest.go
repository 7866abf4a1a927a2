// Package hosttest has what tests do with programs and files of the machine that they
// run on. A program that fails, or is not there, ends the test with what it printed.
package hosttest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Run runs a program in a folder and returns all that it prints.
func Run(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: test/setup installs it", err)
	}
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Shell runs a script in a folder, which ends at the first command that fails, and
// returns all that it prints.
func Shell(t testing.TB, dir, script string) string {
	t.Helper()
	return Run(t, dir, "sh", "-euc", script)
}

// Snapshot prints all there is to know of a tree, by the usual tools: names, kinds, modes,
// owners, times, targets of links, contents, and extended attributes.
func Snapshot(t testing.TB, root string) string {
	t.Helper()
	return Shell(t, root, `find . -printf '%p %y %m %U:%G %T@ %l\n' | sort
		find . -type f -exec sha256sum {} + | sort
		getfattr -R -P -h -d -m - -e hex . | cat`)
}

// Read returns the content of a file.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// MemoryFolder makes a folder that is in memory, where nothing waits for a disk. It is
// removed with the test.
func MemoryFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Gzip returns data as gzip has them.
func Gzip(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
