package compactlist_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, p parsers.Parser, file string) ([]parsers.Entry, error) {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	// The type in the file's name does not matter: blocks have their own.
	return parsers.Collect(p.Parse(list, parsers.Options{Type: compact.TypeMetadata}))
}

func TestTypesAndModifiersAreThoseOfTheBlock(t *testing.T) {
	entries, err := parse(t, compactlist.Parser{}, "mix")
	if err != nil {
		t.Fatal(err)
	}
	got := map[compact.Block]int{}
	for _, e := range entries {
		got[compact.Block{Type: e.Type, Modifiers: e.Modifiers, Algorithm: e.Algorithm}]++
		if len(e.Digest) != e.Algorithm.Size() {
			t.Errorf("digest of %d bytes for %v", len(e.Digest), e.Algorithm)
		}
	}
	want := map[compact.Block]int{
		{Type: compact.TypeParser, Algorithm: compact.SHA256}:                             1,
		{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}: 14,
		{Type: compact.TypeFile, Algorithm: compact.SHA256}:                               15,
		{Type: compact.TypeFile, Algorithm: compact.SHA1}:                                 2,
		{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA512}: 1,
		{Type: compact.TypeFile, Algorithm: compact.SHA512}:                               2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAttributesOfRecords(t *testing.T) {
	entries, err := parse(t, compactlist.TLVParser{}, "unknown.tlv")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 18 {
		t.Fatalf("%d entries, want 18", len(entries))
	}
	for _, e := range entries {
		if e.Path != "/usr/bin/sgid" {
			continue
		}
		e.Digest = nil
		want := parsers.Entry{
			Path: "/usr/bin/sgid", Algorithm: compact.SHA256, Type: compact.TypeFile, Modifiers: compact.Immutable,
			Mode: 0o102755, Size: 5, GID: 8,
			Known: parsers.FieldPath | parsers.FieldMode | parsers.FieldSize | parsers.FieldIDs,
		}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNothingOfADamagedListIsYielded(t *testing.T) {
	for file, p := range map[string]parsers.Parser{"compact-trailing": compactlist.Parser{}, "tlv-trunc": compactlist.TLVParser{}} {
		list, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		yielded := 0
		var failure error
		for e, err := range p.Parse(list, parsers.Options{}) {
			if err != nil {
				failure = err
			}
			if e != nil {
				yielded++
			}
		}
		if !errors.Is(failure, compact.ErrTruncated) || yielded != 0 {
			t.Errorf("%s: %d entries, then %v", file, yielded, failure)
		}
		if _, err := parsers.Collect(p.Parse(nil, parsers.Options{})); !errors.Is(err, compact.ErrTruncated) {
			t.Errorf("%s: an empty list is %v", file, err)
		}
	}
}

// Records of metadata lists have two digests: the one of the content is of type file.
func TestDigestsOfMetadataLists(t *testing.T) {
	entries, err := parse(t, compactlist.TLVParser{}, "attributes.tlv")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type != compact.TypeFile || len(e.Digest) != 32 || len(e.EVMDigest) != 32 {
			t.Errorf("%+v", e)
		}
	}
}
