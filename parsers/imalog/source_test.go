package imalog

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/parsers"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var clock = Source{Now: func() time.Time { return time.Date(2026, 11, 22, 4, 1, 42, 0, time.Local) }}

// make1 returns the only list of a source.
func make1(t *testing.T, s Source, in parsers.Input) (*parsers.List, error) {
	t.Helper()
	var list *parsers.List
	for l, err := range s.Lists(t.Context(), in) {
		if err != nil {
			return nil, err
		}
		if list != nil {
			t.Fatal("more than one list")
		}
		list = l
	}
	return list, nil
}

func TestSourceGolden(t *testing.T) {
	for _, test := range []struct {
		name    string
		paths   []string
		entries int
	}{
		{"imm", []string{"testdata/ascii_ima-ng"}, 5},
		{"two", []string{"testdata/ascii_short", "testdata/ascii_short"}, 2},
	} {
		list, err := make1(t, clock, parsers.Input{Paths: test.paths, Type: compact.TypeFile, Modifiers: compact.Immutable})
		if err != nil {
			t.Fatal(err)
		}
		if list.Format != "ima+ima_ng" || list.Name != "20261122_040142" {
			t.Errorf("list %s-%s", list.Format, list.Name)
		}
		if want := readFile(t, "testdata/golden/"+test.name+".list"); !bytes.Equal(list.Content, want) {
			t.Errorf("content\n%s\nwant\n%s", list.Content, want)
		}
		entries, err := parsers.Collect(list.Entries)
		if err != nil || len(entries) != test.entries {
			t.Errorf("%d entries, error %v, want %d", len(entries), err, test.entries)
		}
	}
}

// TestSourceBinary makes the same list of the text and of the binary list.
func TestSourceBinary(t *testing.T) {
	for _, boot := range boots {
		var lists [][]byte
		for _, kind := range []string{".ascii", ".binary"} {
			list, err := make1(t, clock, parsers.Input{Paths: []string{"testdata/" + boot.name + kind}})
			if err != nil {
				t.Fatal(err)
			}
			lists = append(lists, list.Content)
		}
		if diff := cmp.Diff(string(lists[0]), string(lists[1])); diff != "" {
			t.Errorf("%s: from text and binary: %s", boot.name, diff)
		}
		if want := "\n" + string(readFile(t, "testdata/"+boot.name+".ascii")); string(lists[0]) != want {
			t.Errorf("%s: lines changed", boot.name)
		}
	}
}

func TestSourceDefault(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, DefaultPath)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(lineF), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(root))
	list, err := make1(t, Source{}, parsers.Input{Root: filepath.Base(root)})
	if err != nil {
		t.Fatal(err)
	}
	if string(list.Content) != "\n"+lineF {
		t.Errorf("content %q", list.Content)
	}
	if _, err := time.ParseInLocation(nameLayout, list.Name, time.Local); err != nil {
		t.Error(err)
	}
}

func TestSourceSelect(t *testing.T) {
	keep := func(e *parsers.Entry) bool { return strings.HasPrefix(e.Path, "/usr/") }
	list, err := make1(t, clock, parsers.Input{Paths: []string{"testdata/ascii_short"}, Select: keep})
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(list.Content), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[1], " /usr/lib/systemd/systemd") {
		t.Errorf("content %q", list.Content)
	}
}

func TestSourceRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	binary := string(readFile(t, "testdata/ima-ng.binary"))
	for _, test := range []struct {
		name, path string
		err        error
		text       string
	}{
		{"unknown algorithm", write("algo", lineF+"10 "+hash20+" ima-ng whirl:00 /x\n"), compact.ErrUnsupportedAlgorithm, `line 2: unsupported algorithm: "whirl"`},
		{"unknown algorithm of the C tools' tests", "testdata/ascii_badalgo", compact.ErrMalformed, "line 1: "},
		{"prefix of an algorithm", "testdata/ascii_prefixalgo", compact.ErrUnsupportedAlgorithm, `line 1: unsupported algorithm: "sha2"`},
		{"short digest", "testdata/ascii_shortdigest", compact.ErrMalformed, "line 1: "},
		{"bad hex", write("hex", "10 "+hash20+" ima-ng sha1:xy /x\n"), compact.ErrMalformed, `line 1: field d-ng: malformed: "xy"`},
		{"cut binary", write("cut", binary[:300]), compact.ErrTruncated, "offset 2"},
		{"empty", write("empty", ""), compact.ErrMalformed, "no measurements"},
		{"missing", filepath.Join(dir, "missing"), fs.ErrNotExist, "no such file"},
		{"dangling link", dangling, fs.ErrNotExist, "no such file"},
		{"directory", dir, nil, "not a regular file"},
		{"fifo", fifo, nil, "not a regular file"},
		{"list instead of a measurement list", "testdata/golden/imm.list", compact.ErrMalformed, "line 1: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := make1(t, clock, parsers.Input{Paths: []string{"testdata/ascii_short", test.path}})
			if list != nil || err == nil || test.err != nil && !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if !strings.HasPrefix(err.Error(), test.path+": ") || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %s and %q", err, test.path, test.text)
			}
		})
	}
}

func TestSourceModifiers(t *testing.T) {
	_, err := make1(t, clock, parsers.Input{Paths: []string{"testdata/ascii_short"}, Modifiers: 4})
	if !errors.Is(err, compact.ErrUnsupportedModifier) {
		t.Errorf("error %v", err)
	}
}

func TestSourceCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for list, err := range clock.Lists(ctx, parsers.Input{Paths: []string{"testdata/ascii_short"}}) {
		if list != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}
