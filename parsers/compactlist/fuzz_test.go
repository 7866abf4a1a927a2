package compactlist_test

import (
	"os"
	"path/filepath"
	"testing"

	"digestlists/parsers"
	"digestlists/parsers/compactlist"
)

// Both parsers: an error comes first and alone, since all of a list is checked before; and
// digests have the size of their algorithm.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("../../compact/testdata/bad/*")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range seeds {
		list, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		for _, p := range []parsers.Parser{compactlist.Parser{}, compactlist.TLVParser{}} {
			n := 0
			for e, err := range p.Parse(list, parsers.Options{}) {
				if n++; err != nil && (e != nil || n > 1) {
					t.Fatalf("%T: entry %v with error %v, yield %d", p, e, err, n)
				}
				if err == nil && len(e.Digest) != e.Algorithm.Size() {
					t.Fatalf("%T: a %s digest of %d bytes", p, e.Algorithm, len(e.Digest))
				}
			}
			if n > len(list)+1 {
				t.Fatalf("%T: %d entries from %d bytes", p, n, len(list))
			}
		}
	})
}
