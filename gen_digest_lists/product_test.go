package main

import (
	"bytes"
	"slices"
	"testing"

	"digestlists/parsers"
	"digestlists/parsers/rpmpkg"
)

// Where a package has several signatures of its vendor, all are kept: security.ima has room
// for one.
func TestSeveralSignatures(t *testing.T) {
	in := parsers.Input{Paths: []string{"../test/inputs/rpms/g256-1.2-3.x86_64.pgpsigned.rpm"}, Generation: parsers.Gen039}
	for list, err := range (rpmpkg.Source{}).Lists(t.Context(), in) {
		if err != nil {
			t.Fatal(err)
		}
		r := &request{generation: parsers.Gen039}
		one, two := new(product), new(product)
		if err := r.verbatim(one, list, newBatch()); err != nil || one.attribute == nil || one.vendor != nil {
			t.Errorf("one signature: %x, %x, %v", one.attribute, one.vendor, err)
		}
		list.Vendor = slices.Concat(list.Vendor, list.Vendor)
		err = r.verbatim(two, list, newBatch())
		if err != nil || two.attribute != nil || !bytes.Equal(two.vendor, list.Vendor) || !bytes.Equal(two.content, list.Content) {
			t.Errorf("two signatures: %x, %x, %v", two.attribute, two.vendor, err)
		}
	}
}
