package rpmpkg_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/rpmpkg"
)

// A package that can be read is in the bytes that were given, and its list can be
// made and read, or refused.
func FuzzReadPackage(f *testing.F) {
	bad, err := filepath.Glob("testdata/bad/*.rpm")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(packages(f), bad...) {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[:min(len(raw), 24<<10)])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := rpmpkg.ReadPackage(bytes.NewReader(raw))
		if err != nil {
			if p != nil {
				t.Error("a package came with the error")
			}
			return
		}
		if !bytes.Contains(raw, p.Content) {
			t.Error("the header is not part of the package")
		}
		list, err := rpmlist.List(*p, parsers.Input{})
		if err != nil {
			return
		}
		if _, err := parsers.Collect(list.Entries); err != nil {
			t.Errorf("a list that was checked: %v", err)
		}
	})
}
