package attest_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/parsers/imalog"
)

// measurements are the entries of a list, cloned.
func measurements(t testing.TB, files ...string) []*imalog.Measurement {
	t.Helper()
	var all []*imalog.Measurement
	for m, err := range attest.Measurements(files...) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Clone())
	}
	return all
}

// lists are the two forms of a folder's list.
func lists(folder string) []string {
	return []string{
		filepath.Join("testdata", folder, "ascii_runtime_measurements"),
		filepath.Join("testdata", folder, "binary_runtime_measurements"),
	}
}

func replay(values *attest.PCRs, list []*imalog.Measurement) *attest.Replay {
	r := attest.NewReplay(values)
	for _, m := range list {
		r.Add(m)
	}
	return r
}

func TestReplayEvidence(t *testing.T) {
	attested := map[string][2]int{"mainline-ima-ng": {54, 54}, "mainline-ima-sig": {54, 54}, "digest-lists-plus11": {57, 57}}
	for _, folder := range folders {
		values := readPCRs(t, filepath.Join("testdata", folder, "quote.pcrs"))
		for _, path := range lists(folder) {
			list := measurements(t, path)
			r := replay(values, list)
			if n, ok := r.Attested(); !ok || n != attested[folder][0] || r.Entries() != attested[folder][1] {
				t.Errorf("%s: %d of %d attested (%v), want %v", path, n, r.Entries(), ok, attested[folder])
			}
			if !r.Strong(10) || !r.Covers(10) || r.Covers(12) {
				t.Errorf("%s: PCR 10 strong %v, covered %v; PCR 12 covered %v", path, r.Strong(10), r.Covers(10), r.Covers(12))
			}
			for _, reg := range r.Registers() {
				if reg.Rule != attest.RuleOwn || !bytes.Equal(reg.Replayed, reg.Value) {
					t.Errorf("%s: PCR %d of %s: %x by %q, want %x", path, reg.PCR, reg.Bank, reg.Replayed, reg.Rule, reg.Value)
				}
			}
		}
	}
}

// extend is what a TPM and the two generations of kernels do, in the plainest form.
func extend(t testing.TB, list []*imalog.Measurement, bank compact.Algorithm, pcr int, padded bool) []byte {
	t.Helper()
	value := make([]byte, bank.Size())
	for _, m := range list {
		if int(m.PCR) != pcr {
			continue
		}
		with := sum(t, bank, m.Data)
		switch {
		case m.Violation() && padded:
			with = append(bytes.Repeat([]byte{0xff}, 20), make([]byte, bank.Size()-20)...)
		case m.Violation():
			with = bytes.Repeat([]byte{0xff}, bank.Size())
		case padded:
			with = append(sum(t, compact.SHA1, m.Data), make([]byte, bank.Size()-20)...)
		}
		value = sum(t, bank, append(bytes.Clone(value), with...))
	}
	return value
}

// withViolation puts a violation in the middle of a list.
func withViolation(list []*imalog.Measurement) []*imalog.Measurement {
	violation := list[20].Clone()
	violation.TemplateDigest = make([]byte, 20)
	return append(append(append([]*imalog.Measurement(nil), list[:20]...), violation), list[20:]...)
}

func TestReplayRules(t *testing.T) {
	list := withViolation(measurements(t, lists("mainline-ima-ng")[1]))
	for _, bank := range []compact.Algorithm{compact.SHA1, compact.SHA256, compact.SHA384, compact.SHA512, compact.SM3, compact.SHA3_256} {
		for _, padded := range []bool{false, true} {
			values := new(attest.PCRs)
			if err := values.Set(bank, 10, extend(t, list, bank, 10, padded)); err != nil {
				t.Fatal(err)
			}
			r := replay(values, list)
			want := attest.RuleOwn
			if padded && bank != compact.SHA1 {
				want = attest.RulePadded
			}
			n, ok := r.Attested()
			if regs := r.Registers(); !ok || n != 55 || len(regs) != 1 || regs[0].Rule != want {
				t.Errorf("%s, padded %v: %d attested (%v), %+v, want %q", bank, padded, n, ok, regs, want)
			}
			if strong := r.Strong(10); strong != (want == attest.RuleOwn && bank != compact.SHA1) {
				t.Errorf("%s, padded %v: strong is %v", bank, padded, strong)
			}
		}
	}
}

func TestReplayPrefix(t *testing.T) {
	list := measurements(t, lists("digest-lists-plus11")[1])
	set := func(values *attest.PCRs, upTo int, pcrs ...int) *attest.PCRs {
		for _, pcr := range pcrs {
			if err := values.Set(compact.SHA256, pcr, extend(t, list[:upTo], compact.SHA256, pcr, false)); err != nil {
				t.Fatal(err)
			}
		}
		return values
	}
	for _, test := range []struct {
		name   string
		values *attest.PCRs
		want   int // 0: never
	}{
		{"both after 7", set(new(attest.PCRs), 7, 10, 11), 7},
		// Entry 7 is for PCR 10 and 8 for PCR 11.
		{"PCR 11 only", set(new(attest.PCRs), 7, 11), 7},
		{"PCR 10 only", set(new(attest.PCRs), 7, 10), 8},
		{"before PCR 11 is used", set(new(attest.PCRs), 1, 10, 11), 1},
		{"different places", set(set(new(attest.PCRs), 7, 10), 12, 11), 0},
		{"nothing yet", set(new(attest.PCRs), 0, 10, 11), 0},
		{"PCR without an entry", set(new(attest.PCRs), 7, 12), 0},
	} {
		r := replay(test.values, list)
		n, ok := r.Attested()
		if test.name == "PCR without an entry" {
			// No entry's PCR has a value: all are passed over, and none is covered.
			if r.Covers(10) || r.Covers(11) {
				t.Errorf("%s: covered", test.name)
			}
			continue
		}
		if n != test.want || ok != (test.want > 0) {
			t.Errorf("%s: %d attested (%v), want %d", test.name, n, ok, test.want)
		}
	}
}

// Whoever sends the list cannot leave out all entries of a PCR that is known to be used.
func TestReplayRequired(t *testing.T) {
	list := measurements(t, lists("digest-lists-plus11")[1])
	values := readPCRs(t, "testdata/digest-lists-plus11/quote.pcrs")
	var only10, only11 []*imalog.Measurement
	for _, m := range list {
		if m.PCR == 10 {
			only10 = append(only10, m)
		} else {
			only11 = append(only11, m)
		}
	}
	if _, ok := replay(values, only11).Attested(); ok {
		t.Error("a list without PCR 10 matched a PCR 10 that is not zero")
	}
	r := attest.NewReplay(values, 11)
	for _, m := range only10 {
		r.Add(m)
	}
	if _, ok := r.Attested(); ok {
		t.Error("a list without PCR 11 matched, though it is required")
	}
}

// A list of a bank has that bank's digests; the others are computed from the data.
func TestReplayBankList(t *testing.T) {
	list := measurements(t, lists("mainline-ima-ng")[1])
	values := readPCRs(t, "testdata/mainline-ima-ng/quote.pcrs")
	for _, m := range list {
		m.TemplateDigest = sum(t, compact.SHA256, m.Data)
		if ok, known := attest.Recomputes(m); !ok || !known {
			t.Fatal("the digest of a bank does not recompute")
		}
	}
	if n, ok := replay(values, list).Attested(); !ok || n != 54 {
		t.Errorf("%d attested (%v)", n, ok)
	}
}

// Entries that cannot be hashed leave SHA-1, which lists their digest.
func TestReplayWithoutData(t *testing.T) {
	list := measurements(t, lists("mainline-ima-ng")[1])
	list[30].Data = nil
	r := replay(readPCRs(t, "testdata/mainline-ima-ng/quote.pcrs"), list)
	if _, ok := r.Attested(); ok {
		t.Error("SHA-256 matched without the data of an entry")
	}
	for _, reg := range r.Registers() {
		want := map[compact.Algorithm]int{compact.SHA1: 54, compact.SHA256: -1}[reg.Bank]
		if reg.After != want || reg.Lost != (reg.Bank == compact.SHA256) && reg.Bank != compact.SHA1 {
			t.Errorf("%s: matched after %d, lost %v, want %d", reg.Bank, reg.After, reg.Lost, want)
		}
	}
}

func TestRecomputes(t *testing.T) {
	m := measurements(t, lists("mainline-ima-ng")[0])[3]
	if ok, known := attest.Recomputes(m); !ok || !known {
		t.Errorf("%v %v", ok, known)
	}
	m.Data[len(m.Data)-2] ^= 1
	if ok, known := attest.Recomputes(m); ok || !known {
		t.Errorf("changed data: %v %v", ok, known)
	}
	m.Data = nil
	if _, known := attest.Recomputes(m); known {
		t.Error("known without data")
	}
}

func TestBootAggregate(t *testing.T) {
	for _, folder := range folders {
		values := readPCRs(t, filepath.Join("testdata", folder, "quote.pcrs"))
		algorithm, digest, err := measurements(t, lists(folder)[1])[0].FileDigest()
		if err != nil {
			t.Fatal(err)
		}
		over, known, err := attest.BootAggregate(algorithm, digest, values)
		if over != "0-9" || !known || err != nil {
			t.Errorf("%s: over %q, known %v, error %v", folder, over, known, err)
		}
		var seven []byte
		for pcr := range 8 {
			seven = append(seven, values.Value(compact.SHA256, pcr)...)
		}
		if over, _, _ = attest.BootAggregate(compact.SHA256, sum(t, compact.SHA256, seven), values); over != "0-7" {
			t.Errorf("%s: over %q, want 0-7", folder, over)
		}
		if over, known, _ = attest.BootAggregate(compact.SHA256, make([]byte, 32), values); over != "" || !known {
			t.Errorf("%s: zeros are over %q, known %v", folder, over, known)
		}
		if over, known, _ = attest.BootAggregate(compact.SHA512, make([]byte, 64), values); over != "" || known {
			t.Errorf("%s: a bank without values: over %q, known %v", folder, over, known)
		}
	}
}

// zstdOf compresses data with the zstd tool.
func zstdOf(t testing.TB, data []byte, options ...string) []byte {
	t.Helper()
	cmd := exec.Command("zstd", append(options, "-q", "-c")...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMeasurementFiles(t *testing.T) {
	data := readFile(t, "mainline-ima-sig", "binary_runtime_measurements")
	whole := measurements(t, lists("mainline-ima-sig")[1])
	dir := t.TempDir()
	cut := whole[20].Offset
	first := writeFile(t, filepath.Join(dir, "1.zst"), zstdOf(t, data[:cut], "-19"))
	second := writeFile(t, filepath.Join(dir, "2.gz"), hosttest.Gzip(t, data[cut:]))
	parts := measurements(t, first, second)
	if len(parts) != len(whole) {
		t.Fatalf("%d entries in parts, want %d", len(parts), len(whole))
	}
	for i := range parts {
		if !bytes.Equal(parts[i].Raw, whole[i].Raw) {
			t.Errorf("entry %d differs", i)
		}
	}
}

func TestMeasurementFilesRefused(t *testing.T) {
	data := readFile(t, "mainline-ima-sig", "binary_runtime_measurements")
	packed := hosttest.Gzip(t, data)
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-6] ^= 1
	damagedZstd := zstdOf(t, data)
	damagedZstd[len(damagedZstd)-1] ^= 1 // of the checksum
	for _, test := range []struct {
		name string
		data []byte
		err  error
		text string
	}{
		{"cut", data[:1000], io.ErrUnexpectedEOF, "list: "},
		{"cut gzip", packed[:1000], io.ErrUnexpectedEOF, "list: "},
		{"damaged gzip", damaged, compact.ErrMalformed, "gzip"},
		{"big-endian", append([]byte{0, 0, 0, 10}, data[4:]...), compact.ErrMalformed, "big-endian"},
		{"damaged zstd", damagedZstd, compact.ErrMalformed, "zstd"},
		{"cut zstd", zstdOf(t, data)[:1000], io.ErrUnexpectedEOF, "zstd"},
		{"zstd with a large window", zstdOf(t, make([]byte, 65<<20), "--long=27"), compact.ErrMalformed, "window"},
		{"CRLF", bytes.ReplaceAll(readFile(t, "mainline-ima-sig", "ascii_runtime_measurements"), []byte("\n"), []byte("\r\n")), compact.ErrMalformed, "carriage return"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var last error
			for m, err := range attest.ReadMeasurements("list", bytes.NewReader(test.data)) {
				if last != nil || (m == nil) != (err != nil) {
					t.Fatalf("%v and %v after %v", m, err, last)
				}
				last = err
			}
			if !errors.Is(last, test.err) || !strings.Contains(last.Error(), test.text) {
				t.Errorf("error %v, want %v with %q", last, test.err, test.text)
			}
		})
	}
	for _, err := range attest.Measurements("testdata") {
		if err == nil {
			t.Error("a folder was read")
		}
	}
}
