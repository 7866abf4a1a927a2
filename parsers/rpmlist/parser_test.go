package rpmlist_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The C tools make the same compact lists of them.
func TestConvert(t *testing.T) {
	for _, tt := range []struct {
		list, want string
		generation parsers.Generation
	}{
		{"g256", "g256.compact", parsers.Gen03},
		{"gmd5", "gmd5.compact", parsers.Gen03},
		{"gsha1", "gsha1.compact", parsers.Gen03},
		{"gsha512", "gsha512.compact", parsers.Gen03},
		{"g256", "g256.compact039", parsers.Gen039},
		{"g256.ondisk", "g256.compact039", parsers.Gen039},
		{"gmd5", "gmd5.compact039", parsers.Gen039},
		{"gsha512", "gsha512.compact039", parsers.Gen039},
	} {
		t.Run(tt.want, func(t *testing.T) {
			var got bytes.Buffer
			w := compact.NewWriter(&got)
			opts := parsers.Options{Type: compact.TypeFile, Generation: tt.generation}
			for e, err := range (rpmlist.Parser{}).Parse(read(t, "lists/"+tt.list), opts) {
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Add(compact.Block{Type: e.Type, Modifiers: e.Modifiers, Algorithm: e.Algorithm}, e.Digest); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if want := read(t, "lists/"+tt.want); !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got  %x\nwant %x", got.Bytes(), want)
			}
		})
	}
}

func TestEntryFields(t *testing.T) {
	all := ^parsers.Fields(0)
	entries, err := parsers.Collect(rpmlist.Parser{}.Parse(read(t, "lists/g256"), parsers.Options{Type: compact.TypeFile, Want: all}))
	if err != nil {
		t.Fatal(err)
	}
	byPath := make(map[string]parsers.Entry)
	for _, e := range entries {
		byPath[e.Path] = e
	}
	const known = parsers.FieldPath | parsers.FieldMode | parsers.FieldSize | parsers.FieldNames | parsers.FieldCaps
	for _, want := range []parsers.Entry{
		{Path: "/etc/g256/g256.conf", Mode: 0o100644, Size: 7, User: "root", Group: "root", Flags: parsers.FlagConfig},
		{Path: "/etc/g256/secret.key", Mode: 0o100400, Size: 7, User: "daemon", Group: "daemon", Flags: parsers.FlagConfig, Modifiers: compact.Immutable},
		{Path: "/usr/bin/g256-cap", Mode: 0o100755, Size: 4, User: "root", Group: "root", Caps: "cap_net_admin,cap_net_raw=ep", Modifiers: compact.Immutable},
		{Path: "/usr/bin/g256-sgid", Mode: 0o102755, Size: 5, User: "root", Group: "mail", Modifiers: compact.Immutable},
	} {
		got, ok := byPath[want.Path]
		if !ok || len(got.Digest) != 32 || got.Algorithm != compact.SHA256 || got.Type != compact.TypeFile {
			t.Errorf("%s: got %+v", want.Path, got)
			continue
		}
		want.Digest, want.Algorithm, want.Type, want.Known = got.Digest, got.Algorithm, got.Type, known
		if !slices.EqualFunc([]parsers.Entry{got}, []parsers.Entry{want}, sameEntry) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	for _, path := range []string{"/etc/g256", "/usr/bin/g256-link", "/var/lib/g256/ghost"} {
		if e, ok := byPath[path]; ok {
			t.Errorf("an entry for what has no digest: %+v", e)
		}
	}
	if len(entries) != 19 {
		t.Errorf("%d entries, want 19", len(entries))
	}
}

func sameEntry(a, b parsers.Entry) bool {
	same := bytes.Equal(a.Digest, b.Digest) && a.Signature == nil && b.Signature == nil
	a.Digest, b.Digest = nil, nil
	return same && a.Path == b.Path && a.Mode == b.Mode && a.Size == b.Size && a.User == b.User && a.Group == b.Group &&
		a.Caps == b.Caps && a.Modifiers == b.Modifiers && a.Flags == b.Flags && a.Known == b.Known
}

// No path is made for who does not want it.
func TestEntryWithoutFields(t *testing.T) {
	for e, err := range (rpmlist.Parser{}).Parse(read(t, "lists/g256"), parsers.Options{}) {
		if err != nil || e.Path != "" || e.User != "" || e.Known != parsers.FieldMode|parsers.FieldSize {
			t.Fatalf("got %+v, %v", e, err)
		}
	}
}

func TestBad(t *testing.T) {
	want := map[string]struct {
		class  error
		offset int64
		field  string
	}{
		"rpm-empty":                     {io.ErrUnexpectedEOF, 0, "magic"},
		"rpm-magic8":                    {io.ErrUnexpectedEOF, 8, "header"},
		"rpm-badreserved":               {compact.ErrMalformed, 0, "magic"},
		"rpm-il-huge":                   {compact.ErrTooLarge, 8, "index count"},
		"rpm-trunc-data-before-digests": {io.ErrUnexpectedEOF, 8, "header"},
		"rpm-trunc-last100":             {io.ErrUnexpectedEOF, 8, "header"},
		"rpm-trailing":                  {compact.ErrMalformed, 4373, "end of header"},
		"rpm-digestoff-big":             {compact.ErrMalformed, 304, "index entry 18 (filedigests)"},
		"rpm-dirindex-big":              {compact.ErrMalformed, -1, "dirindexes, file 4 of 24"},
		"rpm-algoval99":                 {compact.ErrUnsupportedAlgorithm, -1, "filedigestalgo"},
		"rpm-algo-sha1-mismatch":        {compact.ErrMalformed, -1, "filedigests, file 2 of 24"},
		"rpm-noalgo":                    {compact.ErrMalformed, -1, "filedigests, file 2 of 24"},
		"rpm-nomodes":                   {compact.ErrMalformed, -1, "filemodes"},
		"rpm-nosizes":                   {compact.ErrMalformed, -1, "filesizes"},
	}
	files, err := os.ReadDir("testdata/bad")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, want %d: %v", len(files), len(want), err)
	}
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			want := want[file.Name()]
			entries := 0
			for e, err := range (rpmlist.Parser{}).Parse(read(t, "bad/"+file.Name()), parsers.Options{}) {
				if err == nil {
					entries++
					continue
				}
				var format *compact.FormatError
				if e != nil || !errors.As(err, &format) || !errors.Is(err, want.class) {
					t.Fatalf("got %v, %v, want a FormatError of %v", e, err, want.class)
				}
				if format.Field != want.field || (want.offset >= 0 && format.Offset != want.offset) {
					t.Errorf("at %d in %q, want %d in %q: %v", format.Offset, format.Field, want.offset, want.field, err)
				}
				return
			}
			t.Errorf("accepted with %d entries", entries)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/lists/*", "testdata/bad/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		header, tail, err := rpmlist.Split(list)
		if err == nil && !bytes.Equal(append(slices.Clone(header), tail...), list) {
			t.Error("the parts are not the list")
		}
		entries := 0
		for e, err := range (rpmlist.Parser{}).Parse(list, parsers.Options{Want: ^parsers.Fields(0)}) {
			if err != nil {
				if entries > 0 || e != nil {
					t.Error("entries came with the error")
				}
				return
			}
			if entries++; len(e.Digest) != e.Algorithm.Size() || e.Algorithm.Size() == 0 {
				t.Errorf("digest %x of %v", e.Digest, e.Algorithm)
			}
		}
	})
}
