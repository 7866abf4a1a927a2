package kerneltable_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"digestlists/compact"
	"digestlists/internal/kerneltable"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var (
	file      = compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256}
	immutable = compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256, Modifiers: compact.Immutable}
	parser    = compact.Block{Type: compact.TypeParser, Algorithm: compact.SHA256}
	sm3       = compact.Block{Type: compact.TypeFile, Algorithm: compact.SM3}
)

// digest returns a digest of its number repeated.
func digest(b compact.Block, n byte) compact.Digest {
	return compact.Digest{Block: b, Sum: bytes.Repeat([]byte{n}, b.Algorithm.Size())}
}

func list(t testing.TB, digests ...compact.Digest) []byte {
	t.Helper()
	var out bytes.Buffer
	w := compact.NewWriter(&out)
	for _, d := range digests {
		if err := w.Add(d.Block, d.Sum); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(t testing.TB, table *kerneltable.Table, op kerneltable.Operation, data []byte) {
	t.Helper()
	if err := table.Write(op, data); err != nil {
		t.Fatal(err)
	}
}

// state returns the table as its file has it, without the first three lines.
func state(t testing.TB, table *kerneltable.Table) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	if err := table.Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.SplitN(text, []byte("\n"), 4)[3])
}

func line(start string, n byte, size int, end string) string {
	return start + hex.EncodeToString(bytes.Repeat([]byte{n}, size)) + end + "\n"
}

func TestReferencesAndModifiers(t *testing.T) {
	table := kerneltable.New(kerneltable.Limits{})
	write(t, table, kerneltable.Add, list(t, digest(file, 2), digest(immutable, 2), digest(file, 1), digest(parser, 1), digest(sm3, 1)))
	odd := list(t, digest(file, 1))
	odd[5] = 0x80 // a modifier that nobody knows
	write(t, table, kerneltable.Add, odd)

	want := line("parser sha256 ", 1, 32, " 1") +
		line("file sha256 ", 1, 32, " 2 0x8000") +
		line("file sha256 ", 2, 32, " 2 immutable") +
		line("file sm3 ", 1, 32, " 1")
	if diff := cmp.Diff(want, state(t, table)); diff != "" {
		t.Fatal(diff)
	}
	if table.Count() != 4 || table.Used() != 4*64 {
		t.Errorf("%d digests of %d bytes, want 4 of 256", table.Count(), table.Used())
	}

	// Deleting keeps modifiers, ends at zero, and is fine where nothing is.
	write(t, table, kerneltable.Delete, list(t, digest(file, 2), digest(file, 9), digest(sm3, 1), digest(file, 1)))
	want = line("parser sha256 ", 1, 32, " 1") +
		line("file sha256 ", 1, 32, " 1 0x8000") +
		line("file sha256 ", 2, 32, " 1 immutable")
	if diff := cmp.Diff(want, state(t, table)); diff != "" {
		t.Fatal(diff)
	}
	write(t, table, kerneltable.Delete, list(t, digest(file, 2), digest(file, 2), digest(file, 1), digest(parser, 1)))
	if table.Count() != 0 || table.Used() != 0 {
		t.Errorf("%d digests of %d bytes are left", table.Count(), table.Used())
	}
}

func TestLookup(t *testing.T) {
	table := kerneltable.New(kerneltable.Limits{})
	write(t, table, kerneltable.Add, list(t, digest(file, 1), digest(immutable, 1), digest(parser, 1), digest(file, 2)))
	sum := digest(file, 1).Sum
	want := []kerneltable.Entry{{Digest: digest(parser, 1), References: 1}, {Digest: digest(immutable, 1), References: 2}}
	if diff := cmp.Diff(want, table.Lookup(compact.SHA256, sum)); diff != "" {
		t.Error(diff)
	}
	if found := table.Lookup(compact.SM3, sum); found != nil {
		t.Errorf("found in another algorithm: %v", found)
	}
}

// The digests before a fault stay, and the answer is EINVAL. Of the five digests
// in these lists, two are the same.
func TestFaultyLists(t *testing.T) {
	for name, want := range map[string]struct {
		count int
		ok    bool
	}{
		"compact-ok":             {4, true},
		"compact-mod2":           {4, true},
		"compact-ver2":           {0, false},
		"compact-type9":          {0, false},
		"compact-trunchdr":       {0, false},
		"compact-count4":         {3, false},
		"compact-datalen161":     {4, false},
		"compact-count-overflow": {4, false},
		"compact-trailing":       {4, false},
		"compact-two-trunc":      {4, false},
		"tlv-ok":                 {0, false},
	} {
		path, err := filepath.Abs("../../test/inputs/bad/" + name)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{content, []byte(path), []byte(path + "\nsecond line\x01")} {
			table := kerneltable.New(kerneltable.Limits{})
			err = table.Write(kerneltable.Add, data)
			if want.ok && err != nil || !want.ok && !errors.Is(err, unix.EINVAL) {
				t.Errorf("%s: error %v", name, err)
			}
			if table.Count() != want.count {
				t.Errorf("%s: %d digests, want %d (%v)", name, table.Count(), want.count, err)
			}
		}
	}
}

func TestErrnos(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := list(t, digest(file, 1), digest(file, 2))
	reserved := bytes.Clone(good)
	reserved[1] = 0xff
	huge := filepath.Join(dir, "huge")
	if err := errors.Join(os.WriteFile(huge, nil, 0o600), os.Truncate(huge, 1<<40), unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600)); err != nil {
		t.Fatal(err)
	}
	streebog := list(t, digest(compact.Block{Type: compact.TypeFile, Algorithm: compact.Streebog256}, 1))
	sha3 := list(t, digest(compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA3_256}, 1))
	old := kerneltable.Limits{LastAlgorithm: kerneltable.LastAlgorithm419}
	tests := []struct {
		name   string
		limits kerneltable.Limits
		op     kerneltable.Operation
		data   []byte
		err    error
		count  int
	}{
		{"data", kerneltable.Limits{}, kerneltable.Add, good, nil, 2},
		{"reserved byte", kerneltable.Limits{}, kerneltable.Add, reserved, nil, 2},
		{"path", kerneltable.Limits{}, kerneltable.Add, []byte(put("good", good)), nil, 2},
		{"empty block", kerneltable.Limits{}, kerneltable.Add, []byte{1, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil, 0},
		{"nothing", kerneltable.Limits{}, kerneltable.Add, nil, nil, 0},
		{"64 MiB", kerneltable.Limits{}, kerneltable.Add, make([]byte, kerneltable.MaxWrite), unix.EFBIG, 0},
		{"64 MiB of a path", kerneltable.Limits{}, kerneltable.Add, bytes.Repeat([]byte("/"), kerneltable.MaxWrite), unix.EFBIG, 0},
		{"half a list", kerneltable.Limits{}, kerneltable.Add, good[:50], unix.EINVAL, 1},
		{"unknown algorithm", kerneltable.Limits{}, kerneltable.Add, sha3, unix.EINVAL, 0},
		{"algorithm of 5.10", kerneltable.Limits{}, kerneltable.Add, streebog, nil, 1},
		{"algorithm of 5.10 in 4.19", old, kerneltable.Add, streebog, unix.EINVAL, 0},
		{"missing", kerneltable.Limits{}, kerneltable.Add, []byte(dir + "/missing"), unix.ENOENT, 0},
		{"directory", kerneltable.Limits{}, kerneltable.Add, []byte(dir), unix.EINVAL, 0},
		{"fifo", kerneltable.Limits{}, kerneltable.Add, []byte(dir + "/fifo"), unix.EINVAL, 0},
		{"empty file", kerneltable.Limits{}, kerneltable.Add, []byte(put("empty", nil)), unix.EINVAL, 0},
		{"control character", kerneltable.Limits{}, kerneltable.Add, []byte(put("good\r", good)), unix.EINVAL, 0},
		{"a terabyte", kerneltable.Limits{}, kerneltable.Add, []byte(huge), unix.ENOMEM, 0},
		{"data in a full table", kerneltable.Limits{Budget: 1}, kerneltable.Add, good, nil, 2},
		{"data without a budget", kerneltable.Limits{Budget: -1}, kerneltable.Add, good, nil, 2},
		{"file larger than what is left", kerneltable.Limits{Budget: 79}, kerneltable.Add, []byte(dir + "/good"), unix.ENOMEM, 0},
		{"file as large as what is left", kerneltable.Limits{Budget: 80}, kerneltable.Add, []byte(dir + "/good"), nil, 2},
		{"deleting needs no room", kerneltable.Limits{Budget: 1}, kerneltable.Delete, []byte(dir + "/good"), nil, 0},
	}
	for _, tt := range tests {
		table := kerneltable.New(tt.limits)
		if err := table.Write(tt.op, tt.data); !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
		}
		if table.Count() != tt.count {
			t.Errorf("%s: %d digests, want %d", tt.name, table.Count(), tt.count)
		}
	}
}

// What a list costs in the table is not asked, only whether its file is larger than what
// is left; and that is less than nothing once data has filled the table.
func TestFullTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(path, list(t, digest(file, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	table := kerneltable.New(kerneltable.Limits{Budget: 100})
	write(t, table, kerneltable.Add, list(t, digest(file, 1)))
	if err := table.Write(kerneltable.Add, []byte(path)); !errors.Is(err, unix.ENOMEM) {
		t.Errorf("a file of 48 bytes where 36 are left: %v", err)
	}
	write(t, table, kerneltable.Add, list(t, digest(file, 2)))
	if table.Count() != 2 || table.Used() != 128 {
		t.Errorf("%d digests of %d bytes, want 2 of 128", table.Count(), table.Used())
	}
	write(t, table, kerneltable.Delete, []byte(path))
	write(t, table, kerneltable.Delete, list(t, digest(file, 2)))
	write(t, table, kerneltable.Add, []byte(path))
}

// To the kernel, a signature at the end of a list is one more block, and no good one.
func TestAppendedSignature(t *testing.T) {
	content := append(list(t, digest(file, 1)), "PKCS7"...)
	content = append(content, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 5)
	content = append(content, "~Module signature appended~\n"...)
	table := kerneltable.New(kerneltable.Limits{})
	if err := table.WriteFile(kerneltable.Add, int64(len(content)), content); !errors.Is(err, unix.EINVAL) || table.Count() != 1 {
		t.Errorf("%v, %d digests", err, table.Count())
	}
}
