package digestcache_test

import (
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

// Lists without a number come last, and renaming takes no list's place.
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
	// The last becomes the first of its label: 1-tlv-a is there until it is 2-tlv-a.
	lists = []digestcache.List{lists[3], lists[2], lists[0], lists[1]}
	if err := digestcache.Number(lists, false); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"0-rpm-c": "rpm-c", "1-tlv-a": "10-tlv-a", "2-tlv-a": "1-tlv-a", "3-tlv-b": "2-tlv-b"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != content {
			t.Errorf("%s: %q, %v, want %q", name, got, err, content)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 5 {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, l := range lists {
		if _, err := os.Stat(l.Path); err != nil {
			t.Error(err)
		}
	}
}
