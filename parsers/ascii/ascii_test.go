package ascii

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/parsers"
)

// oddNames are names that checksum tools have to escape, or that look like syntax.
var oddNames = []string{
	"(paren) = x", "*star", "a b", "back\\slash", "cr\r", "new\nline", "sha256:x", "trailing ", "\\n", " leading", "\xff", "x) = y",
}

// makeFiles writes a file with each odd name, whose content is its name.
func makeFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range oddNames {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestCoreutils reads what the real tools write about files with odd names.
func TestCoreutils(t *testing.T) {
	dir := makeFiles(t)
	for _, tool := range []struct {
		command   string
		algorithm compact.Algorithm
	}{
		{"md5sum", compact.MD5},
		{"sha1sum", compact.SHA1},
		{"sha224sum", compact.SHA224},
		{"sha256sum", compact.SHA256},
		{"sha384sum", compact.SHA384},
		{"sha512sum", compact.SHA512},
		{"md5sum --binary", compact.MD5},
		{"sha256sum --binary", compact.SHA256},
		{"md5sum --tag", compact.MD5},
		{"sha1sum --tag", compact.SHA1},
		{"sha224sum --tag", compact.SHA224},
		{"sha256sum --tag", compact.SHA256},
		{"sha384sum --tag", compact.SHA384},
		{"sha512sum --tag", compact.SHA512},
		{"cksum --algorithm=sm3", compact.SM3},
		{"cksum --algorithm=sha256 --untagged", compact.SHA256},
	} {
		t.Run(tool.command, func(t *testing.T) {
			words := append(strings.Fields(tool.command), "--")
			cmd := exec.Command(words[0], append(words[1:], oddNames...)...)
			cmd.Dir = dir
			list, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsers.Collect(Parser{}.Parse(list, parsers.Options{Type: compact.TypeFile, Want: parsers.FieldPath}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wantEntries(t, tool.algorithm), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func wantEntries(t *testing.T, a compact.Algorithm) []parsers.Entry {
	t.Helper()
	var want []parsers.Entry
	for _, name := range oddNames {
		sum, err := hashes.Sum(a, []byte(name))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, parsers.Entry{Path: name, Algorithm: a, Digest: sum, Type: compact.TypeFile, Known: parsers.FieldPath})
	}
	return want
}

const (
	sum32  = "0cc175b9c0f1b6a831c399e269772661"
	sum40  = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
	sum64  = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
	sum128 = sum64 + sum64
	line64 = sum64 + "  a\n"
)

func TestTakes(t *testing.T) {
	for _, test := range []struct {
		name, list string
		parser     Parser
		algorithm  compact.Algorithm
		digest     string
		path       string
	}{
		{"prefix", "sha256:" + sum64 + " /usr/bin/a b\n", Parser{}, compact.SHA256, sum64, "/usr/bin/a b"},
		{"prefix of another algorithm of that size", "sm3:" + sum64 + " /a\n", Parser{}, compact.SM3, sum64, "/a"},
		{"prefix and escape", `\sha1:` + sum40 + ` a\nb` + "\n", Parser{}, compact.SHA1, sum40, "a\nb"},
		{"upper case", strings.ToUpper(sum64) + "  a\n", Parser{}, compact.SHA256, sum64, "a"},
		{"upper case tag with dash", "SHA3-256 (a) = " + sum64 + "\n", Parser{}, compact.SHA3_256, sum64, "a"},
		{"standard input", sum64 + "  -\n", Parser{}, compact.SHA256, sum64, "-"},
		{"BSD without newline", "SHA256 (a) = " + sum64, Parser{}, compact.SHA256, sum64, "a"},
		{"forced", line64, Parser{compact.SM3, true}, compact.SM3, sum64, "a"},
		{"forced to a length that tells nothing", sum40 + sum40 + "  a\n", Parser{compact.RMD320, true}, compact.RMD320, sum40 + sum40, "a"},
		{"forced as tagged", "SHA256 (a) = " + sum64 + "\n", Parser{compact.SHA256, true}, compact.SHA256, sum64, "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parsers.Collect(test.parser.Parse([]byte(test.list), parsers.Options{Want: parsers.FieldPath}))
			if err != nil || len(got) != 1 {
				t.Fatalf("%d entries, error %v", len(got), err)
			}
			if e := got[0]; e.Algorithm != test.algorithm || hex.EncodeToString(e.Digest) != test.digest || e.Path != test.path {
				t.Errorf("got %s %x %q", e.Algorithm, e.Digest, e.Path)
			}
		})
	}
}

// bad are checksum files with one defect, on the second line if there is one.
var bad = []struct {
	name, list string
	parser     Parser
	err        error
	text       string
}{
	{"empty", "", Parser{}, compact.ErrTruncated, "an empty file"},
	{"only a newline", "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: an empty line"},
	{"empty line", line64 + "\n" + line64, Parser{}, compact.ErrMalformed, "line 2: malformed: an empty line"},
	{"empty line at the end", line64 + "\n", Parser{}, compact.ErrMalformed, "line 2: malformed: an empty line"},
	{"CRLF", line64 + sum64 + "  a\r\n", Parser{}, compact.ErrMalformed, "line 2: malformed: a carriage return"},
	{"NUL as with --zero", sum64 + "  a\x00" + sum64 + "  b\x00", Parser{}, compact.ErrMalformed, "line 1: malformed: a NUL"},
	{"no newline", line64 + sum64 + "  a", Parser{}, compact.ErrTruncated, "line 2: truncated: "},
	{"BSD cut", "SHA256 (a) = " + sum64[:63], Parser{}, compact.ErrMalformed, "of 63 characters, want 64 for sha256"},
	{"not hex", line64 + strings.Repeat("g", 64) + "  a\n", Parser{}, compact.ErrMalformed, "line 2: malformed: digest"},
	{"unknown length", sum64[:62] + "  a\n", Parser{}, compact.ErrMalformed, "of 62 characters"},
	{"wrong length for the prefix", "sha256:" + sum40 + " a\n", Parser{}, compact.ErrMalformed, "of 40 characters, want 64"},
	{"mixed by length", line64 + sum128 + "  a\n", Parser{}, compact.ErrMalformed, "line 2: malformed: a sha512 digest in a file that began with sha256"},
	{"mixed by tag", line64 + "SM3 (a) = " + sum64 + "\n", Parser{}, compact.ErrMalformed, "line 2: malformed: a sm3 digest in a file that began with sha256"},
	{"tag, then none of one length", "SM3 (a) = " + sum64 + "\n" + line64, Parser{}, compact.ErrMalformed, "line 2: malformed: a sha256 digest in a file that began with sm3"},
	{"unknown tag", "BLAKE2b (a) = " + sum128 + "\n", Parser{}, compact.ErrUnsupportedAlgorithm, `line 1: unsupported algorithm: "BLAKE2b"`},
	{"prefix of an algorithm", "sha2:" + sum64 + " a\n", Parser{}, compact.ErrUnsupportedAlgorithm, `line 1: unsupported algorithm: "sha2"`},
	{"one space", line64 + sum64 + " a\n", Parser{}, compact.ErrMalformed, "line 2: malformed: "},
	{"no name", line64 + sum64 + "  \n", Parser{}, compact.ErrMalformed, "line 2: malformed: "},
	{"no name after the prefix", "sha256:" + sum64 + "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: "},
	{"no name in the tag", "SHA256 () = " + sum64 + "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: "},
	{"digest only", sum64 + "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: "},
	{"open parenthesis", "SHA256 (a = " + sum64 + "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: "},
	{"text", line64 + "# a comment\n", Parser{}, compact.ErrMalformed, "line 2: malformed: "},
	{"unknown escape", `\` + sum64 + `  a\tb` + "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: name"},
	{"backslash at the end", `\` + sum64 + `  a\` + "\n", Parser{}, compact.ErrMalformed, "line 1: malformed: name"},
	{"zeros", strings.Repeat("0", 64) + "  a\n", Parser{}, compact.ErrMalformed, "line 1: malformed: a digest of all zeros"},
	{"forced to another tag", "MD5 (a) = " + sum32 + "\n", Parser{compact.SHA256, true}, compact.ErrMalformed, "line 1: malformed: a md5 digest, want sha256"},
	{"long line", line64 + sum64 + "  " + strings.Repeat("a", maxLine-len(line64)+2) + "\n", Parser{}, compact.ErrTooLarge, "line 2: too large: "},
	{"forced to another length", line64, Parser{compact.SHA512, true}, compact.ErrMalformed, "line 1: malformed: "},
}

func TestRefuses(t *testing.T) {
	for _, test := range bad {
		t.Run(test.name, func(t *testing.T) {
			yields := 0
			for e, err := range test.parser.Parse([]byte(test.list), parsers.Options{}) {
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

// A line of the largest size is read, and what the reader says is passed on.
func TestStream(t *testing.T) {
	longest := sum64 + "  " + strings.Repeat("a", maxLine-len(line64)+1) + "\n"
	broken := io.MultiReader(strings.NewReader(longest+line64+sum64), iotest.ErrReader(unix.EIO))
	var got []int
	for e, err := range (Parser{}).Stream(broken, parsers.Options{Want: parsers.FieldPath}) {
		if err != nil {
			if e != nil || !errors.Is(err, unix.EIO) || !strings.Contains(err.Error(), "line 3: ") {
				t.Errorf("entry %v, error %v", e, err)
			}
			got = append(got, -1)
			continue
		}
		got = append(got, len(e.Path))
	}
	if diff := cmp.Diff([]int{maxLine - 67, 1, -1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSource(t *testing.T) {
	dir := makeFiles(t)
	var in parsers.Input
	for _, tool := range []string{"sha256sum", "md5sum"} {
		path := filepath.Join(dir, tool+".txt")
		cmd := exec.Command(tool, append([]string{"--"}, oddNames...)...)
		cmd.Dir = dir
		list, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, list, 0o644); err != nil {
			t.Fatal(err)
		}
		in.Paths = append(in.Paths, path)
	}
	in.Type = compact.TypeFile
	in.Select = func(e *parsers.Entry) bool { return e.Path != "a b" }
	var want []parsers.Entry
	for _, e := range append(wantEntries(t, compact.SHA256), wantEntries(t, compact.MD5)...) {
		if e.Path != "a b" {
			want = append(want, e)
		}
	}
	for list, err := range (Source{}).Lists(t.Context(), in) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsers.Collect(list.Entries)
		if err != nil {
			t.Fatal(err)
		}
		if list.Name != "sha256sum.txt" || list.Format != "" || list.Content != nil {
			t.Errorf("list %+v", list)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSourceRefuses(t *testing.T) {
	dir := t.TempDir()
	good, empty, fifo, binary := dir+"/good", dir+"/empty", dir+"/fifo", dir+"/binary"
	for path, content := range map[string]string{good: line64, empty: "", binary: "\x7fELF\x02\x01"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		paths  []string
		source Source
		err    error
		text   string
	}{
		{"nothing", nil, Source{}, nil, "no checksum files"},
		{"missing", []string{dir + "/missing"}, Source{}, fs.ErrNotExist, dir + "/missing"},
		{"directory", []string{dir}, Source{}, nil, dir + ": not a regular file"},
		{"fifo", []string{fifo}, Source{}, nil, fifo + ": not a regular file"},
		{"empty after good", []string{good, empty}, Source{}, compact.ErrTruncated, empty + ": "},
		{"not text", []string{binary}, Source{}, compact.ErrMalformed, binary + ": line 1: "},
		{"forced", []string{good}, Source{compact.SHA512, true}, compact.ErrMalformed, good + ": line 1: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := listAll(t.Context(), test.source, parsers.Input{Paths: test.paths})
			if err == nil || test.err != nil && !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %v with %q", err, test.err, test.text)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := listAll(ctx, Source{}, parsers.Input{Paths: []string{good}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// listAll reads all lists and entries of a source.
func listAll(ctx context.Context, s Source, in parsers.Input) error {
	for list, err := range s.Lists(ctx, in) {
		if err != nil {
			return err
		}
		if _, err := parsers.Collect(list.Entries); err != nil {
			return err
		}
	}
	return nil
}

// FuzzParser writes what was read in the most explicit form and reads it again.
func FuzzParser(f *testing.F) {
	for _, test := range bad {
		f.Add([]byte(test.list))
	}
	f.Add([]byte(line64 + `\` + sum64 + ` *a\n\r\\b` + "\n"))
	f.Add([]byte("SHA256 (a) = " + sum64 + "\n" + "sha256:" + sum64 + " b\n"))
	f.Fuzz(func(t *testing.T, list []byte) {
		opts := parsers.Options{Want: parsers.FieldPath}
		got, err := parsers.Collect(Parser{}.Parse(list, opts))
		if err != nil {
			if got != nil {
				t.Fatalf("entries with error %v", err)
			}
			return
		}
		if len(list) > maxLine/2 {
			return // escapes may make a line too long
		}
		var text strings.Builder
		escape := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r")
		for _, e := range got {
			fmt.Fprintf(&text, "\\%s:%x %s\n", e.Algorithm, e.Digest, escape.Replace(e.Path))
		}
		again, err := parsers.Collect(Parser{}.Parse([]byte(text.String()), opts))
		if err != nil {
			t.Fatalf("%q again: %v", text.String(), err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
