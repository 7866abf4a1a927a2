package imalog

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"digestlists/compact"

	"github.com/google/go-cmp/cmp"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readAll returns the measurements of a list up to the first error.
func readAll(r io.Reader) ([]*Measurement, error) {
	var all []*Measurement
	reader := NewReader(r)
	for {
		m, err := reader.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, m.Clone())
	}
}

var boots = []struct {
	name    string
	entries int
}{
	{"ima-ng", 10},
	{"ima-sig", 10},
	{"digest-lists", 14},
}

// TestTextAndBinaryAgree reads what one kernel shows as text and in binary.
func TestTextAndBinaryAgree(t *testing.T) {
	for _, boot := range boots {
		t.Run(boot.name, func(t *testing.T) {
			text, err := readAll(bytes.NewReader(readFile(t, "testdata/"+boot.name+".ascii")))
			if err != nil {
				t.Fatal(err)
			}
			binary, err := readAll(bytes.NewReader(readFile(t, "testdata/"+boot.name+".binary")))
			if err != nil {
				t.Fatal(err)
			}
			if len(text) != boot.entries || len(binary) != boot.entries {
				t.Fatalf("%d entries of text and %d in binary, want %d", len(text), len(binary), boot.entries)
			}
			for i := range text {
				line, ok := binary[i].AppendText(nil)
				if !ok || !bytes.Equal(line, text[i].Raw) {
					t.Errorf("entry %d as text:\n%s\nwant\n%s", i, line, text[i].Raw)
				}
				for _, m := range []*Measurement{text[i], binary[i]} {
					m.Raw, m.Line, m.Offset = nil, 0, 0
				}
				if diff := cmp.Diff(binary[i], text[i]); diff != "" {
					t.Errorf("entry %d, binary and text: %s", i, diff)
				}
			}
		})
	}
}

// TestTemplateDigests holds the template data against what the kernel computed.
func TestTemplateDigests(t *testing.T) {
	for _, boot := range boots {
		for _, kind := range []string{".ascii", ".binary"} {
			all, err := readAll(bytes.NewReader(readFile(t, "testdata/"+boot.name+kind)))
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range all {
				if sum := sha1.Sum(m.Data); !bytes.Equal(sum[:], m.TemplateDigest) {
					t.Errorf("%s%s entry %d: SHA-1 %x of the template data, want %x", boot.name, kind, i, sum, m.TemplateDigest)
				}
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	text := readFile(t, "testdata/ima-ng.ascii")
	all, err := readAll(iotest.OneByteReader(bytes.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if m.Line != i+1 || !bytes.HasPrefix(text[m.Offset:], append(m.Raw, '\n')) {
			t.Errorf("entry %d: line %d, offset %d", i, m.Line, m.Offset)
		}
	}
	binary := readFile(t, "testdata/ima-ng.binary")
	all, err = readAll(iotest.HalfReader(bytes.NewReader(binary)))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		if m.Line != 0 || !bytes.HasPrefix(binary[m.Offset:], m.Raw) {
			t.Errorf("binary entry %d: line %d, offset %d", i, m.Line, m.Offset)
		}
	}
}

const (
	zeros20 = "0000000000000000000000000000000000000000"
	hash20  = "653fc8402b3c58926e3b5b0e9ff40d9cf5d906cb"
	hash32  = "a0efbbc00dd27516569793a7360877042c35cfd5c4517c36665f45f160c14e20"
	d32     = "28000000" + "7368613235363a00" + hash32 // field d-ng: sha256:
	nameF   = "03000000" + "2f6600"                    // field n-ng: /f
)

func TestBadText(t *testing.T) {
	good := "10 " + hash20 + " ima-ng sha256:" + hash32 + " /f\n"
	for _, test := range []struct {
		name, line string
		err        error
		text       string
	}{
		{"empty line", "\n", compact.ErrMalformed, "line 2: malformed: an empty line"},
		{"carriage return", "10 " + hash20 + " ima-ng sha256:" + hash32 + " /f\r\n", compact.ErrMalformed, "carriage return"},
		{"NUL", "10 " + hash20 + " ima-ng sha256:" + hash32 + " /f\x00\n", compact.ErrMalformed, "NUL"},
		{"one word", "10\n", compact.ErrMalformed, `"10", want a PCR`},
		{"PCR 24", "24 " + hash20 + " ima-ng sha256:" + hash32 + " /f\n", compact.ErrMalformed, `pcr "24"`},
		{"signed PCR", "+1 " + hash20 + " ima-ng sha256:" + hash32 + " /f\n", compact.ErrMalformed, `pcr "+1"`},
		{"no template", "10 " + hash20 + "\n", compact.ErrMalformed, `template ""`},
		{"two spaces", "10  " + hash20 + " ima-ng sha256:" + hash32 + " /f\n", compact.ErrMalformed, "template digest"},
		{"template digest not hex", "10 " + strings.Repeat("g", 40) + " ima-ng sha256:" + hash32 + " /f\n", compact.ErrMalformed, "hex"},
		{"template digest short", "10 aa ima-ng sha256:" + hash32 + " /f\n", compact.ErrMalformed, `template digest "aa" of 1 bytes, want 20`},
		{"no fields", "10 " + hash20 + " ima-ng\n", compact.ErrTruncated, "before field d-ng"},
		{"no name", "10 " + hash20 + " ima-ng sha256:" + hash32 + "\n", compact.ErrTruncated, "before field n-ng"},
		{"no signature", "10 " + hash20 + " ima-sig sha256:" + hash32 + " /f\n", compact.ErrTruncated, "before field sig"},
		{"signature not hex", "10 " + hash20 + " ima-sig sha256:" + hash32 + " /f 030\n", compact.ErrMalformed, `field sig: malformed: "030"`},
		{"digest not hex", "10 " + hash20 + " ima-ng sha256:0g /f\n", compact.ErrMalformed, `field d-ng: malformed: "0g"`},
		{"digest without algorithm", "10 " + hash20 + " ima-ng " + hash32 + " /f\n", compact.ErrMalformed, "want algorithm:digest"},
		{"word too many", "10 " + hash20 + " d-ng sha1:" + hash20 + " x\n", compact.ErrMalformed, "after the last field"},
		{"old digest", "10 " + hash20 + " ima 00ff /f\n", compact.ErrMalformed, "2 bytes, want 20"},
		{"old name", "10 " + hash20 + " ima " + hash20 + " " + strings.Repeat("n", 256) + "\n", compact.ErrTooLarge, "256 bytes, want at most 255"},
		{"mode", "10 " + hash20 + " imode 65536\n", compact.ErrMalformed, `"65536", want a number up to 65535`},
		{"template of 256", "10 " + hash20 + " " + strings.Repeat("t", 256) + " x\n", compact.ErrMalformed, "want a name"},
		{"cut in the name", "10 " + hash20 + " ima-ng sha256:" + hash32 + " /f", compact.ErrTruncated, "no newline"},
		{"cut in the digest", "10 " + hash20 + " ima-ng sha256:a0efb", compact.ErrTruncated, "before field n-ng"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(good + test.line))
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			m, err := r.Next()
			if m != nil || !errors.Is(err, test.err) || !strings.HasPrefix(err.Error(), "line 2: ") || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("error %v, want %v at line 2 with %q", err, test.err, test.text)
			}
			if _, again := r.Next(); again != err {
				t.Errorf("then %v, want the same error", again)
			}
		})
	}
}

// TestLastLineWhole takes a last line without newline that its digest proves.
func TestLastLineWhole(t *testing.T) {
	text := bytes.TrimSuffix(readFile(t, "testdata/ima-ng.ascii"), []byte("\n"))
	if all, err := readAll(bytes.NewReader(text)); err != nil || len(all) != 10 {
		t.Errorf("%d entries, error %v, want 10", len(all), err)
	}
	all, err := readAll(bytes.NewReader(text[:len(text)-1]))
	if !errors.Is(err, compact.ErrTruncated) || len(all) != 9 {
		t.Errorf("with a name cut by one byte: %d entries, error %v, want 9 and truncated", len(all), err)
	}
}

// TestBinaryCutAnywhere cuts a list at each byte: only between entries is it whole.
func TestBinaryCutAnywhere(t *testing.T) {
	full := append(readFile(t, "testdata/ima-sig.binary"), record(t, templates[0].line, unhex(t, templates[0].data))...)
	whole := map[int]bool{}
	all, err := readAll(bytes.NewReader(full))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		whole[int(m.Offset)+len(m.Raw)] = true
	}
	for cut := 4; cut < len(full); cut++ {
		_, err := readAll(bytes.NewReader(full[:cut]))
		if whole[cut] != (err == nil) {
			t.Fatalf("cut at %d: error %v", cut, err)
		}
		var at *compact.FormatError
		if err != nil && (!errors.Is(err, compact.ErrTruncated) || !errors.As(err, &at) || at.Offset > int64(cut)) {
			t.Fatalf("cut at %d: error %v, want truncated", cut, err)
		}
	}
}

func TestBadBinary(t *testing.T) {
	good := record(t, templates[1].line, unhex(t, templates[1].data))
	old := record(t, templates[0].line, unhex(t, templates[0].data))
	at := func(b []byte, offset int, bytes ...byte) []byte {
		b = append([]byte(nil), b...)
		copy(b[offset:], bytes)
		return b
	}
	dataLen := 4 + 20 + 4 + len("ima-ng")
	for _, test := range []struct {
		name   string
		record []byte
		err    error
		offset int
		text   string
	}{
		{"PCR 24", at(good, 0, 24), compact.ErrMalformed, 0, "pcr"},
		{"template of no bytes", at(good, 24, 0), compact.ErrMalformed, 28, "want a name"},
		{"template of 4 GiB", at(good, 24, 0xff, 0xff, 0xff, 0xff), compact.ErrTooLarge, 24, "template length"},
		{"template with a newline", at(good, 28, '\n'), compact.ErrMalformed, 28, `"\nma-ng"`},
		{"data of 4 GiB", at(good, dataLen, 0xff, 0xff, 0xff, 0xff), compact.ErrTooLarge, dataLen, "template data length"},
		{"data of 16 MiB", at(good, dataLen, 0, 0, 0, 1), compact.ErrTruncated, dataLen + 4, "want 16777216"},
		{"field longer than the data", at(good, dataLen+4, 0xff, 0xff, 0xff, 0xff), compact.ErrMalformed, dataLen + 4, "d-ng"},
		{"field shorter than the data", at(good, dataLen+4, 0x27), compact.ErrMalformed, dataLen + 4 + 4 + 0x27, "n-ng"},
		{"bytes after the last field", at(good, dataLen+4+44, 2), compact.ErrMalformed, len(good) - 1, "1 bytes after the last field"},
		{"old name of 256", at(old, 4+20+4+3+20, 0, 1), compact.ErrTooLarge, 4 + 20 + 4 + 3 + 20, "want at most 255"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(append(good[:len(good):len(good)], test.record...)))
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			m, err := r.Next()
			var format *compact.FormatError
			if m != nil || !errors.Is(err, test.err) || !errors.As(err, &format) || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("error %v, want %v with %q", err, test.err, test.text)
			}
			if want := int64(len(good) + test.offset); format.Offset != want || !strings.Contains(format.Field, "entry 2: ") {
				t.Errorf("error %v, want offset %d of entry 2", err, want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, name := range []string{"ima-ng.ascii", "ima-ng.binary"} {
		half := readFile(t, "testdata/"+name)[:500]
		_, err := readAll(io.MultiReader(bytes.NewReader(half), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want the reader's", name, err)
		}
	}
}
