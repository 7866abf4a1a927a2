package kerneltable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
)

const header = title + "\nbudget=4096\nlast-algorithm=sm3\n"

var sumA = strings.Repeat("0a", 16)

func TestFileIsAsWritten(t *testing.T) {
	text := header +
		"parser md5 " + sumA + " 1 immutable\n" +
		"file md5 " + strings.Repeat("00", 16) + " 70000 immutable,0x8000\n" +
		"file md5 " + sumA + " 2\n"
	path := filepath.Join(t.TempDir(), "table")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if table.Count() != 3 || table.Used() != 3*48 || table.Budget() != 4096 || table.LastAlgorithm() != compact.SM3 {
		t.Errorf("%d digests, %d of %d bytes, up to %s", table.Count(), table.Used(), table.Budget(), table.LastAlgorithm())
	}
	if err := table.Save(path); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("saved as\n%s", got)
	}
}

func TestDamagedFiles(t *testing.T) {
	good := "file md5 " + sumA + " 1\n"
	tests := []struct{ name, text, line string }{
		{"empty", "", "line 1"},
		{"something else", "root:x:0:0\n", "line 1"},
		{"newer", "# digest table, version 2\n", "line 1"},
		{"binary", title + "\n\x01\x00\x02\n", "line 2"},
		{"budget", title + "\nbudget=16M\n", "line 2"},
		{"large budget", title + "\nbudget=67108865\n", "line 2"},
		{"algorithm", title + "\nlast-algorithm=sha0\n", "line 2"},
		{"type", header + "files md5 " + sumA + " 1\n", "line 4"},
		{"digest's algorithm", header + "file md6 " + sumA + " 1\n", "line 4"},
		{"short digest", header + "file md5 " + sumA[2:] + " 1\n", "line 4"},
		{"no digest", header + "file md5 " + sumA[2:] + "zz 1\n", "line 4"},
		{"no references", header + good + "file sha1 " + sumA + "00000000 0\n", "line 5"},
		{"cut", header + good + "file sha1 " + sumA + "00000000", "line 5"},
		{"modifiers", header + "file md5 " + sumA + " 1 mutable\n", "line 4"},
		{"large modifiers", header + "file md5 " + sumA + " 1 0x10000\n", "line 4"},
		{"one more field", header + "file md5 " + sumA + " 1 immutable x\n", "line 4"},
		{"twice", header + "\n# a comment\n" + good + good, "line 7"},
		{"long line", header + strings.Repeat("x", 1<<17), "line 4"},
	}
	for _, tt := range tests {
		table, err := read(strings.NewReader(tt.text))
		if !errors.Is(err, ErrMalformed) || table != nil || !strings.Contains(err.Error(), tt.line) {
			t.Errorf("%s: %v, want malformed at %s", tt.name, err, tt.line)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(header + "file md5 " + sumA + " 1 immutable,0x8000\n")
	f.Add(title + "\n\n#\nkey md4 " + sumA + " 1 0x1\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := read(strings.NewReader(text))
		if err != nil {
			if table != nil {
				t.Fatal("a table with an error")
			}
			return
		}
		var first, second bytes.Buffer
		if err := table.write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := read(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%q, then %q", first.String(), second.String())
		}
	})
}

// Whatever is written, the sums stay those of the digests, and deleting what was
// added as a whole leaves nothing.
func FuzzWrite(f *testing.F) {
	for _, name := range []string{"compact-ok", "compact-two-trunc", "compact-trailing", "compact-mod2"} {
		seed, err := os.ReadFile("../../test/inputs/bad/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed, int64(200))
	}
	f.Fuzz(func(t *testing.T, list []byte, budget int64) {
		table := New(Limits{Budget: budget})
		if len(list) > 0 && list[0] == '/' {
			return // a path is another's business
		}
		err := table.Write(Add, list)
		count, used := 0, int64(0)
		for e := range table.All() {
			count++
			used += Cost(e.Algorithm)
		}
		if count != table.Count() || used != table.Used() {
			t.Fatalf("%d digests of %d bytes; said to be %d of %d", count, used, table.Count(), table.Used())
		}
		if err == nil && (table.Write(Delete, list) != nil || table.Count() != 0) {
			t.Fatal("deleting what was added left something")
		}
	})
}
