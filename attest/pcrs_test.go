package attest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
)

// folders are those of testdata with the evidence of a machine.
var folders = []string{"mainline-ima-ng", "mainline-ima-sig", "digest-lists-plus11"}

func readFile(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readPCRs(t testing.TB, path string) *attest.PCRs {
	t.Helper()
	pcrs, err := attest.ReadPCRs(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pcrs
}

// The same values in all forms are read as the same.
func TestPCRForms(t *testing.T) {
	for _, folder := range folders {
		want := readPCRs(t, filepath.Join("testdata", folder, "quote.pcrs"))
		text := want.AppendText(nil)
		if n := strings.Count(string(text), "\n"); n != 24 {
			t.Fatalf("%s: %d values, want PCRs 0 to 11 of two banks", folder, n)
		}
		forms := map[string]string{
			"text of tpm2_quote": filepath.Join("testdata", folder, "quote.txt"),
			"bank:index:hex":     writeFile(t, filepath.Join(t.TempDir(), "pcrs"), text),
		}
		for name, path := range forms {
			if got := readPCRs(t, path).AppendText(nil); string(got) != string(text) {
				t.Errorf("%s, %s:\n%swant\n%s", folder, name, got, text)
			}
		}
	}
}

// sysfs has a folder for each bank, older kernels one file.
func TestSysfsPCRs(t *testing.T) {
	want := readPCRs(t, "testdata/mainline-ima-ng/pcrs.txt")
	dir := t.TempDir()
	var old strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(string(want.AppendText(nil))), "\n") {
		part := strings.Split(line, ":")
		writeFile(t, filepath.Join(dir, "pcr-"+part[0], part[1]), []byte(strings.ToUpper(part[2])+"\n"))
		if part[0] == "sha1" {
			old.WriteString("PCR-" + part[1] + ":")
			for i := 0; i < len(part[2]); i += 2 {
				old.WriteString(" " + strings.ToUpper(part[2][i:i+2]))
			}
			old.WriteString("\n")
		}
	}
	got := readPCRs(t, filepath.Join(dir, "pcr-sha256"))
	one := readPCRs(t, filepath.Join(dir, "pcr-sha256", "10"))
	file := readPCRs(t, writeFile(t, filepath.Join(dir, "pcrs"), []byte(old.String())))
	named := readPCRs(t, "sha1,"+filepath.Join(dir, "pcrs"))
	for pcr := range attest.NumPCRs {
		if w := want.Value(compact.SHA256, pcr); string(got.Value(compact.SHA256, pcr)) != string(w) {
			t.Errorf("folder: PCR %d is %x, want %x", pcr, got.Value(compact.SHA256, pcr), w)
		}
		w := want.Value(compact.SHA1, pcr)
		if string(file.Value(compact.SHA1, pcr)) != string(w) || string(named.Value(compact.SHA1, pcr)) != string(w) {
			t.Errorf("file: PCR %d is %x, want %x", pcr, file.Value(compact.SHA1, pcr), w)
		}
	}
	if string(one.Value(compact.SHA256, 10)) != string(want.Value(compact.SHA256, 10)) {
		t.Errorf("single file: PCR 10 is %x", one.Value(compact.SHA256, 10))
	}
}

func TestPCRsRefused(t *testing.T) {
	value := strings.Repeat("ab", 32)
	serialized := string(readFile(t, "mainline-ima-ng", "quote.pcrs"))
	for _, test := range []struct {
		name, data string
		err        error
		text       string
	}{
		{"empty", "", compact.ErrTruncated, "empty file"},
		{"no values", "sha256:\n", compact.ErrMalformed, "no PCR values"},
		{"words", "hello\n", compact.ErrMalformed, `line 1: malformed: "hello", want a bank and the number of a PCR`},
		{"unknown bank", "sha2:10:" + value, compact.ErrUnsupportedAlgorithm, `line 1: unsupported algorithm: "sha2"`},
		{"short value", "\nsha256:10:abcd", compact.ErrMalformed, "line 2: malformed: a value of 2 bytes for PCR 10 of bank sha256, want 32"},
		{"odd hex", "sha256:10:abc", compact.ErrMalformed, `"abc", want hex`},
		{"PCR 24", "sha256:24:" + value, compact.ErrMalformed, `PCR "24", want 0 to 23`},
		{"two values", "sha256:10:" + value + "\nsha256:10:" + strings.Repeat("00", 32), attest.ErrConflict, "line 2: two values for one PCR"},
		{"no PCR", "sha256:" + value, compact.ErrMalformed, "want bank:index:hex"},
		{"bare value", value, compact.ErrMalformed, "want a bank and the number of a PCR"},
		{"cut", serialized[:1000], compact.ErrMalformed, "neither text nor"},
		{"unknown bank number", serialized[:4] + "\xff\xff" + serialized[6:], compact.ErrUnsupportedAlgorithm, "0xffff"},
		{"empty selection", strings.Repeat("\x00", 136), compact.ErrMalformed, "no PCR values"},
		{"fewer values", serialized[:136] + "\x01" + serialized[137:], compact.ErrTruncated, "fewer than were quoted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pcrs, err := attest.ParsePCRs([]byte(test.data), attest.PCRHint{PCR: -1})
			if pcrs != nil || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, error %v, want %v with %q", pcrs, err, test.err, test.text)
			}
		})
	}
	for _, path := range []string{t.TempDir(), "testdata/none"} {
		if _, err := attest.ReadPCRs(path, nil); err == nil {
			t.Errorf("%s was read", path)
		}
	}
}
