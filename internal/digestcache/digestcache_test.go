package digestcache_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"digestlists/internal/digestcache"
)

func TestParseName(t *testing.T) {
	for file, want := range map[string]digestcache.Name{
		"tlv-a":          {Sequence: digestcache.Unnumbered, Format: "tlv", Label: "a"},
		"0-tlv-a-b":      {Sequence: 0, Format: "tlv", Label: "a-b"},
		"12-rpm-a-1-2.x": {Sequence: 12, Format: "rpm", Label: "a-1-2.x"},
	} {
		if got, ok := digestcache.ParseName(file); !ok || got != want || got.String() != file {
			t.Errorf("%s: %+v, %v", file, got, ok)
		}
	}
	for _, file := range []string{"", "tlv", "tlv-", "compact-a", "-tlv-a", "1-2-tlv-a", "x-tlv-a", "99999999999-tlv-a"} {
		if got, ok := digestcache.ParseName(file); ok {
			t.Errorf("%q: %+v", file, got)
		}
	}
}

// Lists without a number come last. Where a name is taken, or a list is there twice, no file is renamed.
func TestNumber(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10-tlv-a", "2-tlv-b", "rpm-c", "1-tlv-a", "not a list"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lists, err := digestcache.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range lists {
		names = append(names, l.String())
	}
	if want := []string{"1-tlv-a", "2-tlv-b", "10-tlv-a", "rpm-c"}; !slices.Equal(names, want) {
		t.Fatalf("order %q, want %q", names, want)
	}
	if err := digestcache.Number(slices.Clone(lists), false); !errors.Is(err, digestcache.ErrTwice) {
		t.Errorf("%v, want %v", err, digestcache.ErrTwice)
	}
	some := []digestcache.List{lists[3], lists[2], lists[1]}
	if err := digestcache.Number(slices.Clone(some), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, want %v", err, fs.ErrExist)
	}
	checkNames(t, dir, "1-tlv-a", "10-tlv-a", "2-tlv-b", "not a list", "rpm-c")
	if err := errors.Join(os.Remove(lists[0].Path), digestcache.Number(some, false)); err != nil {
		t.Fatal(err)
	}
	checkNames(t, dir, "0-rpm-c", "1-tlv-a", "2-tlv-b", "not a list")
	for i, name := range []string{"0-rpm-c", "1-tlv-a", "2-tlv-b"} {
		if some[i].Path != filepath.Join(dir, name) {
			t.Errorf("%s: path %s", name, some[i].Path)
		}
	}
}

func checkNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
}
