package rpmpkg_test

import (
	"bytes"
	"slices"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/rpmpkg"
)

// The files stay in the cache: what is measured is the work on top of reading.
func BenchmarkSource(b *testing.B) {
	path := "testdata/rpms/g256-1.2-3.x86_64.rpm"
	paths := slices.Repeat([]string{path}, 1500)
	for b.Loop() {
		for _, err := range (rpmpkg.Source{}).Lists(b.Context(), parsers.Input{Paths: paths}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkReadPackage(b *testing.B) {
	raw := hosttest.Read(b, "testdata/rpms/g256-1.2-3.x86_64.rpm")
	for b.Loop() {
		p, err := rpmpkg.ReadPackage(bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := rpmlist.List(*p, parsers.Input{}); err != nil {
			b.Fatal(err)
		}
	}
}
