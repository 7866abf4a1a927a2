package compact_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"

	"github.com/google/go-cmp/cmp"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// collect reads a list into memory; on an error it returns nothing.
func collect(list []byte) ([]compact.Digest, error) {
	var all []compact.Digest
	for d, err := range compact.NewReader(bytes.NewReader(list)).Digests() {
		if err != nil {
			return nil, err
		}
		d.Sum = bytes.Clone(d.Sum)
		all = append(all, d)
	}
	return all, nil
}

func encode(t testing.TB, digests []compact.Digest) []byte {
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

func TestMalformed(t *testing.T) {
	tests := []struct {
		file   string
		class  error
		offset int64
	}{
		{"compact-ok", nil, 0},
		{"compact-mod2", nil, 0}, // the kernel keeps bits it does not know
		{"compact-ver2", compact.ErrUnsupportedVersion, 0},
		{"compact-type9", compact.ErrUnsupportedType, 0},
		{"compact-trunchdr", compact.ErrTruncated, 0},
		{"compact-count4", compact.ErrMalformed, 12},
		{"compact-datalen161", compact.ErrMalformed, 12},
		{"compact-count-overflow", compact.ErrMalformed, 12},
		{"compact-trailing", compact.ErrTruncated, 176},
		{"compact-two-trunc", compact.ErrTruncated, 192},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			n, err := compact.Check(bytes.NewReader(readFile(t, "bad/"+tt.file)))
			if tt.class == nil {
				if err != nil || n != 5 {
					t.Fatalf("%d digests, %v; want 5", n, err)
				}
				return
			}
			checkFormatError(t, err, tt.class, tt.offset)
			if n != 0 {
				t.Errorf("%d digests with an error", n)
			}
		})
	}
}

func checkFormatError(t *testing.T, err, class error, offset int64) {
	t.Helper()
	var format *compact.FormatError
	if !errors.As(err, &format) || !errors.Is(err, class) {
		t.Fatalf("error %v, want a format error of class %v", err, class)
	}
	if format.Offset != offset {
		t.Errorf("offset %d in %q, want %d", format.Offset, err, offset)
	}
}

func TestEmptyListIsRefused(t *testing.T) {
	if _, err := compact.Check(strings.NewReader("")); !errors.Is(err, compact.ErrTruncated) {
		t.Errorf("error %v, want %v", err, compact.ErrTruncated)
	}
}

// The kernel was seen to take these; a checker that refused them would keep
// lists from machines that can use them.
func TestKernelTolerance(t *testing.T) {
	header := []byte{1, 0xff, 2, 0, 0xfe, 0xff, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	n, err := compact.Check(bytes.NewReader(append(header, header...)))
	if err != nil || n != 0 {
		t.Errorf("reserved byte, modifier bits, no digests, repeated block: %d digests, %v", n, err)
	}
}

func TestGoldenRoundTrip(t *testing.T) {
	for _, file := range []string{"golden/mix", "golden/multi"} {
		list := readFile(t, file)
		digests, err := collect(list)
		if err != nil {
			t.Fatal(err)
		}
		again, err := collect(encode(t, digests))
		if err != nil {
			t.Fatal(err)
		}
		if len(again) != len(digests) {
			t.Errorf("%s: %d digests after writing, had %d", file, len(again), len(digests))
		}
	}
	// One block only, so the writer must make the very file of the C tool.
	list := readFile(t, "golden/multi")
	digests, err := collect(list)
	if err != nil {
		t.Fatal(err)
	}
	if got := encode(t, digests); !bytes.Equal(got, list) {
		t.Errorf("wrote %x, want %x", got, list)
	}
}

func TestBlocksInOrderOfFirstUse(t *testing.T) {
	file := compact.Block{Type: compact.TypeFile, Algorithm: compact.MD5}
	immutable := compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.MD5}
	sum := func(b byte) []byte { return bytes.Repeat([]byte{b}, 16) }
	got := encode(t, []compact.Digest{{immutable, sum(1)}, {file, sum(2)}, {immutable, sum(3)}, {immutable, sum(1)}})
	digests, err := collect(got)
	if err != nil {
		t.Fatal(err)
	}
	want := []compact.Digest{{immutable, sum(1)}, {immutable, sum(3)}, {immutable, sum(1)}, {file, sum(2)}}
	if diff := cmp.Diff(want, digests); diff != "" {
		t.Error(diff)
	}
}

// A block must fit in one write, which the kernel refuses from 64 MiB on.
func TestBlockIsWrittenAtTheLimit(t *testing.T) {
	const blockDigests = 2097151
	block := compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256}
	reader, writer := io.Pipe()
	go func() {
		w := compact.NewWriter(writer)
		var err error
		for i := 0; i < blockDigests+2 && err == nil; i++ {
			err = w.Add(block, make([]byte, 32))
		}
		writer.CloseWithError(errors.Join(err, w.Close()))
	}()
	var counts []uint32
	r := compact.NewReader(reader)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, h.Count)
	}
	if diff := cmp.Diff([]uint32{blockDigests, 2}, counts); diff != "" {
		t.Error(diff)
	}
}

func TestWriterRefusesWhatTheKernelWould(t *testing.T) {
	tests := []struct {
		name  string
		block compact.Block
		size  int
		class error
	}{
		{"short digest", compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256}, 20, compact.ErrMalformed},
		{"type", compact.Block{Type: 4, Algorithm: compact.SHA256}, 32, compact.ErrUnsupportedType},
		{"algorithm", compact.Block{Algorithm: 23}, 32, compact.ErrUnsupportedAlgorithm},
	}
	for _, tt := range tests {
		w := compact.NewWriter(io.Discard)
		if err := w.Add(tt.block, make([]byte, tt.size)); !errors.Is(err, tt.class) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.class)
		}
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestWriterReportsWriteErrors(t *testing.T) {
	w := compact.NewWriter(failingWriter{})
	if err := w.Add(compact.Block{Algorithm: compact.MD5}, make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
}

// The table is the kernel's: names and sizes that openssl agrees with are checked
// against Go's own hashes in package hashes; here, that look-ups are inverse.
func TestAlgorithmLookups(t *testing.T) {
	for _, a := range compact.Algorithms() {
		if got, err := compact.ParseAlgorithm(a.String()); err != nil || got != a {
			t.Errorf("ParseAlgorithm(%q) = %v, %v", a, got, err)
		}
		if id, ok := a.OpenPGP(); ok {
			if got, err := compact.AlgorithmFromOpenPGP(uint32(id)); err != nil || got != a {
				t.Errorf("AlgorithmFromOpenPGP(%d) = %v, %v; want %v", id, got, err, a)
			}
		}
	}
	for _, name := range []string{"", "sha2", "sha2566", "sha-256", "whirl"} {
		if a, err := compact.ParseAlgorithm(name); !errors.Is(err, compact.ErrUnsupportedAlgorithm) {
			t.Errorf("ParseAlgorithm(%q) = %v, %v", name, a, err)
		}
	}
	for _, id := range []uint32{0, 4, 5, 99, math.MaxUint32} {
		if a, err := compact.AlgorithmFromOpenPGP(id); err == nil {
			t.Errorf("AlgorithmFromOpenPGP(%d) = %v", id, a)
		}
	}
}

func TestModifierNames(t *testing.T) {
	for names, want := range map[string]compact.Modifiers{"": 0, "immutable": 1, "immutable,immutable": 1} {
		if got, err := compact.ParseModifiers(names); err != nil || got != want {
			t.Errorf("ParseModifiers(%q) = %v, %v", names, got, err)
		}
	}
	if _, err := compact.ParseModifiers("immutable\r"); !errors.Is(err, compact.ErrUnsupportedModifier) {
		t.Errorf("carriage return: %v", err)
	}
	if got := (compact.Immutable | 0x8000).String(); got != "immutable,0x8000" {
		t.Errorf("unknown bit prints as %q", got)
	}
}

func FuzzReader(f *testing.F) {
	seed(f, "compact-*", "golden/m*")
	f.Fuzz(func(t *testing.T, list []byte) {
		digests, err := collect(list)
		n, checkErr := compact.Check(bytes.NewReader(list))
		if len(list) > 0 && (err == nil) != (checkErr == nil) || err == nil && n != len(digests) {
			t.Fatalf("Check says %d, %v; reading %d, %v", n, checkErr, len(digests), err)
		}
		if err != nil {
			return
		}
		first := encode(t, digests)
		again, err := collect(first)
		if err != nil {
			t.Fatal(err)
		}
		if second := encode(t, again); !bytes.Equal(first, second) {
			t.Fatal("writing what was read changes it")
		}
	})
}

func seed(f *testing.F, patterns ...string) {
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "/") {
			pattern = "bad/" + pattern
		}
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: no seeds, %v", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	block := compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256}
	var list bytes.Buffer
	w := compact.NewWriter(&list)
	for range 100000 {
		if err := w.Add(block, make([]byte, 32)); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(list.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compact.Check(bytes.NewReader(list.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
