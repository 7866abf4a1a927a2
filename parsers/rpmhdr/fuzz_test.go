package rpmhdr_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"digestlists/parsers/rpmhdr"
)

func addSeeds(f *testing.F) {
	f.Add([]byte{})
	f.Add(build(sample))
	f.Add(build(fileSample))
	f.Add(build(fileSample, text(rpmhdr.SHA1Header, "ab"), binaryField(rpmhdr.RSAHeader, "packet")))
	f.Add(legacy(fileSample...))
	lists, err := filepath.Glob("testdata/*.header")
	if err != nil || len(lists) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range lists {
		blob, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(blob)
	}
}

// Whatever Parse accepts can be read in full.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, blob []byte) {
		h, err := rpmhdr.Parse(blob)
		if err != nil {
			if h != nil {
				t.Error("a header came with the error")
			}
			return
		}
		for _, tag := range []rpmhdr.Tag{rpmhdr.Name, rpmhdr.FileDigests, rpmhdr.FileModes, rpmhdr.RSAHeader} {
			n := 0
			for range h.Strings(tag) {
				n++
			}
			if n != 0 && n != h.Count(tag) {
				t.Errorf("%d strings of %v, want %d", n, tag, h.Count(tag))
			}
			h.Bytes(tag)
			h.Uint32s(tag)
		}
		var files rpmhdr.Files
		if err := files.Load(h); err != nil {
			if files.Next() {
				t.Error("a file came after the error")
			}
			return
		}
		if err := files.LoadSignatures(h); err != nil && files.Signature() != nil {
			t.Error("a signature came after the error")
		}
		for _, r := range records(&files) {
			if len(r.digest) != 2*files.Algorithm().Size() {
				t.Errorf("digest %s of %v", r.digest, files.Algorithm())
			}
		}
	})
}

// The region of a region is the region itself.
func FuzzStored(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, blob []byte) {
		s, err := rpmhdr.ParseStored(blob, nil)
		if err != nil {
			if s != nil {
				t.Error("a header came with the error")
			}
			return
		}
		again, err := rpmhdr.Immutable(s.Region)
		if s.Legacy != errors.Is(err, rpmhdr.ErrNoRegion) {
			t.Errorf("legacy %v, but %v", s.Legacy, err)
		}
		if !s.Legacy && (err != nil || !bytes.Equal(again, s.Region)) {
			t.Errorf("region of %d bytes becomes %d: %v", len(s.Region), len(again), err)
		}
		s.Verify()
	})
}
