package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTreeSizes(t *testing.T) {
	sizes := treeSizes(rand.New(rand.NewPCG(20, 2)))
	total := 0
	for i, size := range sizes {
		if size <= 0 || size > 2*treeLargest-64*treeFiles {
			t.Fatalf("file %d has %d bytes", i, size)
		}
		total += size
	}
	if len(sizes) != treeFiles || total != treeBytes {
		t.Errorf("%d files of %d bytes", len(sizes), total)
	}
}

// TestVary puts a varied list back into its package, for rpm to read.
func TestVary(t *testing.T) {
	work, dir := t.TempDir(), t.TempDir()
	if err := makeSpec(work, dir, 7, 1); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "package0007-1.2-3.noarch.rpm")
	original := query(t, file)
	if len(original) != 1+packageFiles {
		t.Fatalf("%s has %d digests", original[0], len(original)-1)
	}

	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	header, err := mainHeader(content)
	if err != nil {
		t.Fatal(err)
	}
	name, err := vary(header, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	varied := query(t, file)
	if name != "dackage0007" || varied[0] != name || len(varied) != len(original) {
		t.Fatalf("%s became %s, %s by rpm, with %d digests", original[0], name, varied[0], len(varied)-1)
	}
	for i, digest := range varied[1:] {
		was := original[1+i]
		if digest == was || digest[1:] != was[1:] || !strings.Contains("0123456789abcdef", digest[:1]) {
			t.Errorf("digest %s became %s", was, digest)
		}
	}
}

// query returns the name of a package and its digests, as rpm finds them.
func query(t *testing.T, file string) []string {
	t.Helper()
	out, err := exec.Command("rpm", "-qp", "--nosignature", "--nodigest", "--qf", `%{NAME}\n[%{FILEDIGESTS}\n]`, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestMainHeaderRefusesOtherFiles(t *testing.T) {
	header := append(bytes.Clone(headerMagic), 0, 0, 0, 1, 0, 0, 0, 8)
	for name, file := range map[string][]byte{
		"empty":               nil,
		"lead only":           make([]byte, leadSize),
		"no header":           make([]byte, 4096),
		"truncated signature": append(make([]byte, leadSize), header...),
		"no main header":      append(append(make([]byte, leadSize), header...), make([]byte, 24)...),
	} {
		if got, err := mainHeader(file); err == nil || got != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestOnceKeepsOnlyWhatIsComplete(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "input")
	fail := func(into string) error {
		if err := os.WriteFile(filepath.Join(into, "half"), nil, 0o644); err != nil {
			return err
		}
		return os.ErrInvalid
	}
	if err := once(folder, fail); err == nil {
		t.Error("no error")
	}
	if err := once(folder, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := once(folder, fail); err != nil {
		t.Errorf("made again: %v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}
