package imalog

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"digestlists/compact"
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
