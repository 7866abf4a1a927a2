package plugin

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"digestlists/compact"
)

// Of what a plug-in prints, only digests of the type that was asked for get through.
func FuzzOutput(f *testing.F) {
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
		if checkOutput(list, compact.TypeFile) != nil {
			return
		}
		for d, err := range compact.NewReader(bytes.NewReader(list)).Digests() {
			if err != nil {
				t.Fatal(err)
			}
			if d.Type != compact.TypeFile || d.Modifiers != 0 && d.Modifiers != compact.Immutable {
				t.Fatalf("%+v", d)
			}
		}
	})
}
