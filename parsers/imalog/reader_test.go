package imalog

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
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

// templates gives each template as a line and as its template data.
var templates = []struct {
	name, line, data string
	fileName         string
	algorithm        compact.Algorithm
	digest           string
	err              error
}{
	{"ima", "10 " + hash20 + " ima " + hash20 + " /a b", hash20 + "2f612062" + strings.Repeat("00", 252), "/a b", compact.SHA1, hash20, nil},
	{"ima-ng", "10 " + hash20 + " ima-ng sha256:" + hash32 + " /f", d32 + nameF, "/f", compact.SHA256, hash32, nil},
	{"spaces", "10 " + hash20 + " ima-ng sha256:" + hash32 + " /a b  c ", d32 + "09000000" + "2f612062202063" + "2000", "/a b  c ", compact.SHA256, hash32, nil},
	{"padded pcr", " 9 " + hash20 + " ima-ng sha256:" + hash32 + " /f", d32 + nameF, "/f", compact.SHA256, hash32, nil},
	{"bank-sized", "10 " + hash32 + " ima-ng sha256:" + hash32 + " /f", d32 + nameF, "/f", compact.SHA256, hash32, nil},
	{"ima-sig unsigned", "10 " + hash20 + " ima-sig sha256:" + hash32 + " /f ", d32 + nameF + "00000000", "/f", compact.SHA256, hash32, nil},
	{"ima-sig spaces", "10 " + hash20 + " ima-sig sha256:" + hash32 + " /a b 0302", d32 + "05000000" + "2f61206200" + "02000000" + "0302", "/a b", compact.SHA256, hash32, nil},
	{"ima-ngv2", "10 " + hash20 + " ima-ngv2 ima:sha256:" + hash32 + " /f", "2c000000" + "696d613a7368613235363a00" + hash32 + nameF, "/f", compact.SHA256, hash32, nil},
	{"ima-ngv2 verity", "10 " + hash20 + " ima-ngv2 verity:sha256:" + hash32 + " /f", "2f000000" + "7665726974793a7368613235363a00" + hash32 + nameF, "/f", 0, "", ErrNoFileDigest},
	{"ima-sigv2", "10 " + hash20 + " ima-sigv2 ima:sha1:" + hash20 + " /f 06", "1e000000" + "696d613a736861313a00" + hash20 + nameF + "01000000" + "06", "/f", compact.SHA1, hash20, nil},
	{"ima-buf", "10 " + hash20 + " ima-buf sha256:" + hash32 + " kexec-cmdline 726f", d32 + "0e000000" + "6b657865632d636d646c696e6500" + "02000000" + "726f", "kexec-cmdline", 0, "", ErrNoFileDigest},
	{"ima-modsig", "10 " + hash20 + " ima-modsig sha256:" + hash32 + " /f  sha1:" + hash20 + " 30820102", d32 + nameF + "00000000" + "1a000000" + "736861313a00" + hash20 + "04000000" + "30820102", "/f", compact.SHA256, hash32, nil},
	{"ima-modsig without", "10 " + hash20 + " ima-modsig sha256:" + hash32 + " /f   ", d32 + nameF + "00000000" + "00000000" + "00000000", "/f", compact.SHA256, hash32, nil},
	{
		"evm-sig", "10 " + hash20 + " evm-sig sha256:" + hash32 + " /f 0502 security.ima 02000000 0404 1000 100 33261",
		d32 + nameF + "02000000" + "0502" + "0d000000" + hex.EncodeToString([]byte("security.ima\x00")) + "04000000" + "02000000" + "02000000" + "0404" + "04000000" + "e8030000" + "04000000" + "64000000" + "02000000" + "ed81",
		"/f", compact.SHA256, hash32, nil,
	},
	{"format string", "11 " + hash20 + " n-ng|d-ng /a b sha1:" + hash20, "05000000" + "2f61206200" + "1a000000" + "736861313a00" + hash20, "/a b", compact.SHA1, hash20, nil},
	{"one field", "11 " + hash20 + " d-ng sha1:" + hash20, "1a000000" + "736861313a00" + hash20, "", compact.SHA1, hash20, nil},
	{"unknown algorithm", "10 " + hash20 + " ima-ng whirl:00ff /f", "09000000" + "776869726c3a00" + "00ff" + nameF, "/f", 0, "", compact.ErrUnsupportedAlgorithm},
	{"prefix of an algorithm", "10 " + hash20 + " ima-ng sha2:00ff /f", "08000000" + "736861323a00" + "00ff" + nameF, "/f", 0, "", compact.ErrUnsupportedAlgorithm},
	{"short digest", "10 " + hash20 + " ima-ng sha256:00ff /f", "0a000000" + "7368613235363a00" + "00ff" + nameF, "/f", 0, "", compact.ErrMalformed},
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// record builds the binary form of a line.
func record(t testing.TB, line string, data []byte) []byte {
	t.Helper()
	words := strings.Fields(line)
	digest, name := unhex(t, words[1]), words[2]
	pcr := map[string]byte{"9": 9, "10": 10, "11": 11}[words[0]]
	b := append([]byte{pcr, 0, 0, 0}, digest...)
	b = append(b, byte(len(name)), 0, 0, 0)
	b = append(b, name...)
	if name == "ima" {
		n := bytes.IndexByte(data[20:], 0)
		b = append(b, data[:20]...)
		b = append(b, byte(n), 0, 0, 0)
		return append(b, data[20:20+n]...)
	}
	b = append(b, byte(len(data)), byte(len(data)>>8), 0, 0)
	return append(b, data...)
}

func TestTemplates(t *testing.T) {
	for _, test := range templates {
		t.Run(test.name, func(t *testing.T) {
			data := unhex(t, test.data)
			inputs := map[string][]byte{
				"text":   []byte(test.line + "\n"),
				"binary": record(t, test.line, data),
			}
			for form, input := range inputs {
				all, err := readAll(bytes.NewReader(append(input, input...)))
				if err != nil || len(all) != 2 {
					t.Fatalf("%s: %d entries, error %v", form, len(all), err)
				}
				m := all[1]
				if !bytes.Equal(m.Data, data) {
					t.Errorf("%s: template data\n%x, want\n%x", form, m.Data, data)
				}
				if m.Name() != test.fileName {
					t.Errorf("%s: name %q, want %q", form, m.Name(), test.fileName)
				}
				algorithm, digest, err := m.FileDigest()
				if !errors.Is(err, test.err) || algorithm != test.algorithm || hex.EncodeToString(digest) != test.digest {
					t.Errorf("%s: file digest %s %x, error %v", form, algorithm, digest, err)
				}
				if line, ok := m.AppendText(nil); !ok || string(line) != test.line {
					t.Errorf("%s: as text %q, want %q", form, line, test.line)
				}
			}
		})
	}
}

// TestUnknownTemplate keeps what a replay needs of templates from the future.
func TestUnknownTemplate(t *testing.T) {
	m, err := NewReader(bytes.NewReader(record(t, "10 "+hash20+" ima-v9", []byte("secret")))).Next()
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Data) != "secret" || m.Fields != nil || m.Template != "ima-v9" {
		t.Errorf("got %+v", m)
	}
	if _, _, err := m.FileDigest(); !errors.Is(err, ErrNoFileDigest) {
		t.Errorf("file digest error %v", err)
	}
	for _, line := range []string{"10 " + hash20 + " ima-v9 x y z", "10 " + hash20 + " d-ng|new sha1:" + hash20 + " x"} {
		m, err := NewReader(strings.NewReader(line + "\n")).Next()
		if err != nil {
			t.Fatal(err)
		}
		if m.Data != nil || string(m.Raw) != line {
			t.Errorf("%q: got %+v", line, m)
		}
	}
}

func TestViolation(t *testing.T) {
	m, err := NewReader(strings.NewReader("10 " + zeros20 + " ima-ng sha1:" + zeros20 + " /f\n")).Next()
	if err != nil || !m.Violation() {
		t.Errorf("violation %v, error %v", m != nil && m.Violation(), err)
	}
}

// TestRenderedNames keeps a name from adding an entry of its own.
func TestRenderedNames(t *testing.T) {
	name := "/tmp/x\n10 " + hash20 + " ima-ng\r\x01"
	data := append(unhex(t, d32), byte(len(name)+1), 0, 0, 0)
	data = append(append(data, name...), 0)
	m, err := NewReader(bytes.NewReader(record(t, "10 "+hash20+" ima-ng", data))).Next()
	if err != nil {
		t.Fatal(err)
	}
	line, ok := m.AppendText(nil)
	if want := "/tmp/x_10 " + hash20 + " ima-ng__"; !ok || !strings.HasSuffix(string(line), " "+want) {
		t.Errorf("as text %q, want a name %q", line, want)
	}
}

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

func fuzzSeeds(f *testing.F) {
	for _, boot := range boots {
		f.Add(readFile(f, "testdata/"+boot.name+".ascii"))
		f.Add(readFile(f, "testdata/"+boot.name+".binary"))
	}
	for _, test := range templates {
		f.Add([]byte(test.line + "\n"))
		f.Add(record(f, test.line, unhex(f, test.data)))
	}
}

// FuzzReader holds what is read against its own rendering as text.
func FuzzReader(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, list []byte) {
		r := NewReader(bytes.NewReader(list))
		for {
			m, err := r.Next()
			if err != nil {
				if m != nil {
					t.Fatalf("a measurement with error %v", err)
				}
				return
			}
			if len(m.Raw) > len(list) || len(m.Data) > 4*len(list)+512 {
				t.Fatalf("%d bytes of data from %d", len(m.Data), len(list))
			}
			checkRoundTrip(t, m)
		}
	})
}

func checkRoundTrip(t *testing.T, m *Measurement) {
	line, ok := m.AppendText(nil)
	if !ok {
		return
	}
	again, err := NewReader(bytes.NewReader(append(line, '\n'))).Next()
	if err != nil {
		t.Fatalf("as text %q: %v", line, err)
	}
	if m.Line > 0 && !bytes.Equal(m.Data, again.Data) && bytes.IndexFunc(m.Raw, func(c rune) bool { return c < ' ' || c == 0x7f }) < 0 {
		t.Fatalf("line %q as text %q", m.Raw, line)
	}
	a, sum, err := m.FileDigest()
	b, sumAgain, errAgain := again.FileDigest()
	if a != b || !bytes.Equal(sum, sumAgain) || (err == nil) != (errAgain == nil) {
		t.Fatalf("digest %s %x %v, as text %s %x %v", a, sum, err, b, sumAgain, errAgain)
	}
}
