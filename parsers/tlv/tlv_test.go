package tlv_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/parsers"
	"digestlists/parsers/tlv"

	"github.com/google/go-cmp/cmp"
)

func want() []parsers.Entry {
	one, two, other := sha256.Sum256([]byte("1")), sha256.Sum256([]byte("2")), sha512.Sum512([]byte("1"))
	return []parsers.Entry{
		{Path: "/usr/bin/one", Digest: one[:], Algorithm: compact.SHA256, Type: compact.TypeParser, Known: parsers.FieldPath},
		{Digest: two[:], Algorithm: compact.SHA256, Type: compact.TypeParser},
		{Path: "/usr/bin/one", Digest: other[:], Algorithm: compact.SHA512, Type: compact.TypeParser, Known: parsers.FieldPath},
	}
}

func TestParse(t *testing.T) {
	got, err := parsers.Collect(tlv.Parser{}.Parse(hosttest.Read(t, "testdata/ok"), parsers.Options{Type: compact.TypeParser}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want(), got); diff != "" {
		t.Error(diff)
	}
}

// Entries are put together by algorithm.
func TestBuild(t *testing.T) {
	var b tlv.Builder
	entries := want()
	for _, i := range []int{0, 2, 1} {
		if err := b.Add(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Bytes(); !bytes.Equal(got, hosttest.Read(t, "testdata/ok")) {
		t.Errorf("%x", got)
	}
	if got := new(tlv.Builder).Bytes(); got != nil {
		t.Errorf("a list of nothing: %x", got)
	}
}

func TestBuildRefuses(t *testing.T) {
	good := want()[0]
	for name, change := range map[string]func(*parsers.Entry){
		"digest cut":        func(e *parsers.Entry) { e.Digest = e.Digest[:20] },
		"unknown algorithm": func(e *parsers.Entry) { e.Algorithm = 99 },
		"relative path":     func(e *parsers.Entry) { e.Path = "one" },
		"path with a NUL":   func(e *parsers.Entry) { e.Path = "/one\x00" },
	} {
		e, b := good, new(tlv.Builder)
		change(&e)
		if err := b.Add(&e); err == nil || b.Bytes() != nil {
			t.Errorf("%s: %v, %x", name, err, b.Bytes())
		}
	}
}

func TestBad(t *testing.T) {
	classes := map[string]error{
		"empty": io.ErrUnexpectedEOF, "cut-head": io.ErrUnexpectedEOF, "cut-entry": io.ErrUnexpectedEOF, "entry-cut-inside": io.ErrUnexpectedEOF,
		"count-more": io.ErrUnexpectedEOF, "count-huge": io.ErrUnexpectedEOF, "length-huge": io.ErrUnexpectedEOF,
		"algorithm-99": compact.ErrUnsupportedAlgorithm, "algorithm-260": compact.ErrUnsupportedAlgorithm,
	}
	paths, err := filepath.Glob("testdata/bad/*")
	if err != nil || len(paths) < 26 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		class := classes[filepath.Base(path)]
		if class == nil {
			class = compact.ErrMalformed
		}
		entries, err := parsers.Collect(tlv.Parser{}.Parse(hosttest.Read(t, path), parsers.Options{}))
		var format *compact.FormatError
		if !errors.Is(err, class) || !errors.As(err, &format) || entries != nil {
			t.Errorf("%s: %d entries, %v, want %v", path, len(entries), err, class)
		}
	}
}

// What is read and written again is the same, but for algorithms that come twice.
func FuzzParse(f *testing.F) {
	f.Add(hosttest.Read(f, "testdata/ok"))
	paths, err := filepath.Glob("testdata/bad/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		f.Add(hosttest.Read(f, path))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		entries, err := parsers.Collect(tlv.Parser{}.Parse(list, parsers.Options{}))
		if err != nil {
			if entries != nil {
				t.Error("entries came with the error")
			}
			return
		}
		again := rebuild(t, entries)
		reread, err := parsers.Collect(tlv.Parser{}.Parse(again, parsers.Options{}))
		if len(entries) > 0 && (err != nil || len(reread) != len(entries)) {
			t.Fatalf("%d entries of %d, %v", len(reread), len(entries), err)
		}
		if last := rebuild(t, reread); !bytes.Equal(last, again) {
			t.Errorf("%x, then %x", again, last)
		}
	})
}

func rebuild(t *testing.T, entries []parsers.Entry) []byte {
	t.Helper()
	var b tlv.Builder
	for i := range entries {
		if err := b.Add(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
