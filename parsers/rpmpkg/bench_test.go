package rpmpkg_test

import (
	"bytes"
	"testing"

	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/rpmpkg"
)

func BenchmarkReadPackage(b *testing.B) {
	raw := read(b, "testdata/rpms/g256-1.2-3.x86_64.rpm")
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
