package compact_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"digestlists/compact"
)

// longTLV is a list of several times what the reader holds, whose records have paths of
// all lengths and end anywhere in its buffer.
func longTLV(t *testing.T) []byte {
	t.Helper()
	var list bytes.Buffer
	w := compact.NewTLVWriter(&list)
	for i := range 300 {
		r := &compact.Record{Digest: bytes.Repeat([]byte{byte(i)}, 32), Path: "/" + strings.Repeat("p", i*7)}
		if i == 200 {
			r.Label = strings.Repeat("l", 64<<10-1) // the longest
		}
		if err := w.Add(compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256}, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return list.Bytes()
}

// TestReaderOfPieces reads what comes in pieces of any size, and finds what was written.
func TestReaderOfPieces(t *testing.T) {
	list := longTLV(t)
	for name, pieces := range map[string]func(io.Reader) io.Reader{
		"one": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
	} {
		r := compact.NewTLVReader(pieces(bytes.NewReader(list)))
		if _, err := r.Next(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range 300 {
			rec, err := r.Record()
			if err != nil || rec.Digest[0] != byte(i) || rec.Digest[31] != byte(i) || len(rec.Path) != 1+i*7 || (len(rec.Label) != 0) != (i == 200) {
				t.Fatalf("%s: record %d: %+v, %v", name, i, rec, err)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%s: %v, want the end", name, err)
		}
	}
}

// TestCutInMemory: a list that is in memory has a buffer of its size, and ends with the
// same errors as one from elsewhere.
func TestCutInMemory(t *testing.T) {
	list := longTLV(t)
	for n := range 400 {
		_, got := compact.CheckTLV(bytes.NewReader(list[:n]))
		_, want := compact.CheckTLV(iotest.OneByteReader(bytes.NewReader(list[:n])))
		if got == nil || want == nil || got.Error() != want.Error() || !errors.Is(got, compact.ErrTruncated) {
			t.Errorf("%d bytes: %v, want %v", n, got, want)
		}
	}
}

// TestReadErrorIsKept: what went wrong below is no truncation, and its place is named.
func TestReadErrorIsKept(t *testing.T) {
	list := longTLV(t)
	broken := errors.New("broken")
	for _, n := range []int{0, 5, 16, 70, 100_000} {
		_, err := compact.CheckTLV(io.MultiReader(bytes.NewReader(list[:n]), iotest.ErrReader(broken)))
		var format *compact.FormatError
		if !errors.Is(err, broken) || errors.Is(err, compact.ErrTruncated) || !errors.As(err, &format) || format.Offset > int64(n) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}
