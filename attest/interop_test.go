package attest_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
)

// runs reports whether a program takes its arguments.
func runs(t *testing.T, name string, args ...string) bool {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if _, ran := err.(*exec.ExitError); err != nil && !ran {
		t.Fatalf("%s: %v", name, err)
	}
	t.Logf("%s %q: %v\n%s", name, args, err, out)
	return err == nil
}

// quote is the files of a quote.
type quote struct{ msg, sig, pcrs, key, nonce string }

// opens does what tpm2_checkquote does.
func (q quote) opens(t *testing.T) bool {
	t.Helper()
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	key, err := attest.ParseAttestationKey(read(q.key))
	if err != nil {
		t.Fatal(err)
	}
	_, err = attest.OpenQuote(attest.QuoteEvidence{
		Message: read(q.msg), Signature: read(q.sig), Key: key, Nonce: unhex(t, q.nonce),
		Values: func(selection []attest.SelectedBank) (*attest.PCRs, error) { return attest.ReadPCRs(q.pcrs, selection) },
	})
	return err == nil
}

// tpm2_checkquote takes the quotes that OpenQuote takes, and no others.
func TestCheckquote(t *testing.T) {
	dir := t.TempDir()
	e := quoteOf(t, "mainline-ima-ng")
	path := func(name string) string { return filepath.Join("testdata", "mainline-ima-ng", name) }
	other := func(name string) string { return filepath.Join("testdata", "mainline-ima-sig", name) }
	changed := func(name string, data []byte, at int) string {
		return writeFile(t, filepath.Join(dir, fmt.Sprint(name, at)), flipped(data, at, 1))
	}
	good := quote{path("quote.msg"), path("quote.sig"), path("quote.pcrs"), path("ak.pem"), "0102030405060708"}
	tests := map[string]func(*quote){
		"good":        func(*quote) {},
		"nonce":       func(q *quote) { q.nonce = "0102030405060709" },
		"key":         func(q *quote) { q.key = other("ak.pem") },
		"values":      func(q *quote) { q.pcrs = other("quote.pcrs") },
		"other quote": func(q *quote) { q.msg = other("quote.msg") },
	}
	for _, at := range []int{0, 5, 6, 40, 44, 60, 70, 80, 90, 94, 97, 126} {
		tests[fmt.Sprint("message ", at)] = func(q *quote) { q.msg = changed("msg", e.Message, at) }
	}
	for _, at := range []int{1, 6, 100, 261} {
		tests[fmt.Sprint("signature ", at)] = func(q *quote) { q.sig = changed("sig", e.Signature, at) }
	}
	for name, change := range tests {
		q := good
		change(&q)
		want := runs(t, "tpm2_checkquote", "-Q", "-u", q.key, "-m", q.msg, "-s", q.sig, "-f", q.pcrs, "-q", q.nonce)
		got := q.opens(t)
		if got != want || want != (name == "good") {
			t.Errorf("%s: taken %v, by tpm2_checkquote %v", name, got, want)
		}
	}
}

// evmctl replays a list to the same values, and finds the same mismatches.
func TestEvmctlMeasurement(t *testing.T) {
	for _, folder := range folders {
		values := readPCRs(t, filepath.Join("testdata", folder, "quote.pcrs"))
		all := measurements(t, lists(folder)[1])
		dir := t.TempDir()
		var args []string
		for _, bank := range values.Banks() {
			args = append(args, "--pcrs", bank.String()+","+writeFile(t, filepath.Join(dir, bank.String()), values.AppendEvmctl(nil, bank)))
		}
		for _, upTo := range []int{len(all), len(all) - 2, 20} {
			list := readFile(t, folder, "binary_runtime_measurements")
			if upTo < len(all) {
				list = list[:all[upTo].Offset]
			}
			path := writeFile(t, filepath.Join(dir, "list"), list)
			want := runs(t, "evmctl", append(append([]string{"ima_measurement", "--ignore-violations"}, args...), path)...)
			_, got := replay(readEvmctl(t, args), measurements(t, path)).Attested()
			if got != want || want != (upTo == len(all)) {
				t.Errorf("%s, %d entries: matches %v, for evmctl %v", folder, upTo, got, want)
			}
		}
	}
}

func readEvmctl(t *testing.T, args []string) *attest.PCRs {
	t.Helper()
	all := new(attest.PCRs)
	for i := 1; i < len(args); i += 2 {
		if err := all.Merge(readPCRs(t, args[i])); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What evmctl prints of the PCRs of a TPM are values of PCRs, too.
func TestEvmctlOutput(t *testing.T) {
	values := readPCRs(t, "testdata/digest-lists-plus11/quote.pcrs")
	dir := t.TempDir()
	args := []string{"ima_measurement", "-v", "--ignore-violations"}
	for _, bank := range values.Banks() {
		args = append(args, "--pcrs", bank.String()+","+writeFile(t, filepath.Join(dir, bank.String()), values.AppendEvmctl(nil, bank)))
	}
	out, err := exec.Command("evmctl", append(args, "testdata/digest-lists-plus11/binary_runtime_measurements")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var text []byte
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("PCR")) || bytes.HasPrefix(line, []byte("Matched")) {
			text = append(text, line...)
		}
	}
	printed := readPCRs(t, writeFile(t, filepath.Join(dir, "printed"), text))
	for _, bank := range values.Banks() {
		for _, pcr := range []int{10, 11} {
			if got, want := printed.Value(bank, pcr), values.Value(bank, pcr); !bytes.Equal(got, want) {
				t.Errorf("PCR %d of %s: got %x, want %x in\n%s", pcr, bank, got, want, text)
			}
		}
		if printed.Value(bank, 0) != nil {
			t.Error("PCR 0 was not printed")
		}
	}
}

// evmctl computes the boot_aggregate from the same PCRs.
func TestEvmctlBootAggregate(t *testing.T) {
	values := readPCRs(t, "testdata/mainline-ima-ng/quote.pcrs")
	path := writeFile(t, filepath.Join(t.TempDir(), "pcrs"), values.AppendEvmctl(nil, compact.SHA256))
	out, err := exec.Command("evmctl", "ima_boot_aggregate", "--pcrs", "sha256,"+path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, text, ok := bytes.Cut(bytes.TrimSpace(out), []byte("sha256:"))
	digest, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if !ok || err != nil {
		t.Fatalf("%s", out)
	}
	if over, _, err := attest.BootAggregate(compact.SHA256, digest, values); over != "0-9" || err != nil {
		t.Errorf("%x is over %q, error %v", digest, over, err)
	}
}
