package imalog

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"

	"github.com/google/go-cmp/cmp"
)

// convert writes the entries of a list as a compact list.
func convert(t *testing.T, list []byte, opts parsers.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	w := compact.NewWriter(&out)
	for e, err := range (Parser{}).Parse(list, opts) {
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
	return out.Bytes()
}

// TestGolden compares with the C tools, which take zeros for digests.
func TestGolden(t *testing.T) {
	for _, name := range []string{"imm", "two"} {
		got := convert(t, readFile(t, "testdata/golden/"+name+".list"), parsers.Options{Type: compact.TypeFile, KeepZero: true})
		if want := readFile(t, "testdata/golden/"+name+".compact"); !bytes.Equal(got, want) {
			t.Errorf("%s: converted to\n%x, want\n%x", name, got, want)
		}
	}
}

func TestParser(t *testing.T) {
	list := readFile(t, "testdata/golden/imm.list")
	opts := parsers.Options{Type: compact.TypeFile, Want: parsers.FieldPath | parsers.FieldSignature}
	got, err := parsers.Collect(Parser{}.Parse(list, opts))
	if err != nil {
		t.Fatal(err)
	}
	systemd := parsers.Entry{
		Path: "/usr/lib/systemd/systemd", Algorithm: compact.SHA256, Digest: unhex(t, hash32),
		Type: compact.TypeFile, Modifiers: compact.Immutable, Known: parsers.FieldPath,
	}
	empty, spaces, conf := systemd, systemd, systemd
	empty.Path, empty.Digest = "/etc/empty", unhex(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	spaces.Path, spaces.Algorithm, spaces.Digest = "/path with space/f", compact.SHA1, unhex(t, "da39a3ee5e6b4b0d3255bfef95601890afd80709")
	conf.Path, conf.Digest = "/etc/g.conf", unhex(t, "b5055bbce60154a69168d5c6fe9144cf478e1538f7f9a01bb3be188e757b14e0")
	conf.Signature, conf.Known = unhex(t, "030204aabbccdd"), parsers.FieldPath|parsers.FieldSignature
	if diff := cmp.Diff([]parsers.Entry{systemd, empty, spaces, systemd, conf}, got); diff != "" {
		t.Error(diff)
	}

	opts.KeepZero = true
	got, err = parsers.Collect(Parser{}.Parse(list, opts))
	if err != nil || len(got) != 7 {
		t.Fatalf("%d entries with zeros, error %v, want 7", len(got), err)
	}
	for i, e := range got {
		if isZero := i == 0 || i == 3; isZero != (e.Flags == parsers.FlagViolation) {
			t.Errorf("entry %d: flags %b", i, e.Flags)
		}
	}
}

const lineF = "10 " + hash20 + " ima-ng sha256:" + hash32 + " /f\n"

func TestParserTakes(t *testing.T) {
	real := string(readFile(t, "testdata/ima-ng.ascii"))
	buf := "10 " + hash20 + " ima-buf sha256:" + hash32 + " kexec-cmdline 726f\n"
	verity := "10 " + hash20 + " ima-ngv2 verity:sha256:" + hash32 + " /f\n"
	portable := "10 " + hash20 + " ima-sig sha256:" + hash32 + " /f 0502\n"
	for _, test := range []struct {
		name, list string
		entries    int
		modifiers  compact.Modifiers
	}{
		{"no modifiers", "\n" + lineF, 1, 0},
		{"immutable", "immutable\n" + lineF, 1, compact.Immutable},
		{"modifiers only", "immutable\n", 0, 0},
		{"modifiers without newline", "immutable", 0, 0},
		{"buffers and verity", "\n" + buf + lineF + verity, 1, 0},
		{"portable signature", "\n" + portable, 1, 0},
		{"whole last line", "\n" + strings.TrimSuffix(real, "\n"), 10, 0},
		{"sm3", "\n" + string(readFile(t, "testdata/ascii_sm3")), 1, 0},
		{"upper case hex", string(readFile(t, "testdata/bad/bad-ima-uchex")), 1, compact.Immutable},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts := parsers.Options{Type: compact.TypeParser, Want: parsers.FieldPath | parsers.FieldSignature}
			got, err := parsers.Collect(Parser{}.Parse([]byte(test.list), opts))
			if err != nil || len(got) != test.entries {
				t.Fatalf("%d entries, error %v, want %d", len(got), err, test.entries)
			}
			for _, e := range got {
				if e.Modifiers != test.modifiers || e.Type != compact.TypeParser || e.Known != parsers.FieldPath {
					t.Errorf("got %+v", e)
				}
			}
		})
	}
}

func TestParserRefuses(t *testing.T) {
	for _, test := range []struct {
		name, list string
		err        error
		text       string
	}{
		{"empty", "", compact.ErrTruncated, "line 1: truncated"},
		{"no modifiers line", string(readFile(t, "testdata/bad/bad-ima-nomod")), compact.ErrMalformed, "line 1: malformed: a measurement, want the modifiers (an empty line for none)"},
		{"empty line", string(readFile(t, "testdata/bad/bad-ima-emptyline")), compact.ErrMalformed, "line 2: malformed: an empty line"},
		{"cut at a page", string(readFile(t, "testdata/bad/bad-ima-page")), compact.ErrTruncated, "no newline"},
		{"empty line at the end", "\n" + lineF + "\n", compact.ErrMalformed, "line 3"},
		{"CRLF modifiers", "immutable\r\n" + lineF, compact.ErrMalformed, "line 1: malformed: a carriage return"},
		{"CRLF", "immutable\n" + strings.ReplaceAll(lineF, "\n", "\r\n"), compact.ErrMalformed, "line 2: malformed: a carriage return"},
		{"unknown modifier", "mutable\n" + lineF, compact.ErrUnsupportedModifier, `line 1: unsupported modifier: "mutable"`},
		{"long first line", strings.Repeat("immutable ", 100) + "\n", compact.ErrMalformed, "line 1"},
		{"prefix of an algorithm", "\n" + string(readFile(t, "testdata/ascii_prefixalgo")), compact.ErrUnsupportedAlgorithm, `line 2: unsupported algorithm: "sha2"`},
		{"unknown algorithm", "\n10 " + hash20 + " ima-ng whirl:00 /x\n", compact.ErrUnsupportedAlgorithm, `line 2: unsupported algorithm: "whirl"`},
		{"short digest", "\n10 " + hash20 + " ima-ng sha256:00ff /x\n", compact.ErrMalformed, "line 2: malformed: a sha256 digest of 2 bytes, want 32"},
		{"unknown template", "\n10 " + hash20 + " ima-v9 sha256:" + hash32 + " /x\n", ErrNoFileDigest, `line 2: no digest of a file's content: template "ima-v9"`},
		{"second line bad", "\n" + lineF + "x\n", compact.ErrMalformed, "line 3: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			yields := 0
			for e, err := range (Parser{}).Parse([]byte(test.list), parsers.Options{}) {
				yields++
				if e != nil || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("entry %v, error %v, want %v with %q", e, err, test.err, test.text)
				}
			}
			if yields != 1 {
				t.Errorf("%d yields, want only the error", yields)
			}
		})
	}
}

// TestParserAllocations holds that parsing costs no memory for each line.
func TestParserAllocations(t *testing.T) {
	list := []byte("\n" + strings.Repeat(lineF, 1000))
	allocations := testing.AllocsPerRun(10, func() {
		for _, err := range (Parser{}).Parse(list, parsers.Options{}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocations > 50 {
		t.Errorf("%v allocations for 1000 lines", allocations)
	}
}

func FuzzParser(f *testing.F) {
	for _, name := range []string{"golden/imm.list", "golden/two.list", "bad/bad-ima-emptyline", "bad/bad-ima-nomod", "bad/bad-ima-page", "bad/bad-ima-uchex"} {
		f.Add(readFile(f, "testdata/"+name))
	}
	for _, test := range templates {
		f.Add([]byte("immutable\n" + test.line + "\n"))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		opts := parsers.Options{KeepZero: true, Want: parsers.FieldPath | parsers.FieldSignature}
		n := 0
		for e, err := range (Parser{}).Parse(list, opts) {
			n++
			if err != nil && (e != nil || n > 1) {
				t.Fatalf("entry %v with error %v, yield %d", e, err, n)
			}
			if err == nil && len(e.Digest) != e.Algorithm.Size() {
				t.Fatalf("a %s digest of %d bytes", e.Algorithm, len(e.Digest))
			}
		}
		if n > len(list)+1 {
			t.Fatalf("%d entries from %d bytes", n, len(list))
		}
	})
}
