package attest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"digestlists/attest"
)

// machine is evidence and what it is compared with, all in memory: untouched, it is trusted.
type machine struct {
	list  []byte
	quote attest.QuoteEvidence
	refs  *attest.References
	allow *attest.Patterns
}

func newMachine(t testing.TB, folder, list string) *machine {
	t.Helper()
	m := &machine{list: readFile(t, folder, list), quote: quoteOf(t, folder)}
	values := readPCRs(t, filepath.Join("testdata", folder, "quote.pcrs"))
	m.quote.Values = func([]attest.SelectedBank) (*attest.PCRs, error) { return values, nil }
	if _, err := os.Stat(filepath.Join("testdata", folder, "digest_lists")); err == nil {
		m.refs = references(t, filepath.Join("testdata", folder, "digest_lists"), nil)
		if m.allow, err = attest.ParsePatterns([]byte("/init\n/opt/p?/busybox\n")); err != nil {
			t.Fatal(err)
		}
	} else {
		m.refs = knowing(t, measurements(t, filepath.Join("testdata", folder, list)), nobody)
	}
	if !m.trusted() {
		t.Fatalf("%s/%s is not trusted as it is", folder, list)
	}
	return m
}

// trusted is what a verifier would say; whatever cannot be read is not trusted.
func (m *machine) trusted() bool {
	quote, err := attest.OpenQuote(m.quote)
	return err == nil && m.trustedWith(quote, m.list)
}

// trustedWith spares checking the quote when only the list changes.
func (m *machine) trustedWith(quote *attest.Quote, list []byte) bool {
	e := attest.Evidence{Measurements: attest.ReadMeasurements("list", bytes.NewReader(list)), Quote: quote}
	report, err := attest.Verify(e, attest.Options{References: m.refs, Allow: m.allow, Now: now})
	return err == nil && report.Verdict == attest.Trusted
}

// eachByte calls try for every byte of the data, from several goroutines.
func eachByte(data []byte, try func(at int)) {
	var workers sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for k := range n {
		workers.Go(func() {
			for at := k; at < len(data); at += n {
				try(at)
			}
		})
	}
	workers.Wait()
}

func flipped(data []byte, at int, mask byte) []byte {
	changed := bytes.Clone(data)
	changed[at] ^= mask
	return changed
}

// All entries of these lists are attested: no byte of theirs can be changed.
func TestTamperedList(t *testing.T) {
	for name, of := range map[string][]string{"binary_runtime_measurements": folders, "ascii_runtime_measurements": {"mainline-ima-sig"}} {
		for _, folder := range of {
			m := newMachine(t, folder, name)
			quote, err := attest.OpenQuote(m.quote)
			if err != nil {
				t.Fatal(err)
			}
			eachByte(m.list, func(at int) {
				if m.trustedWith(quote, flipped(m.list, at, 1)) {
					t.Errorf("%s/%s: trusted with byte %d changed", folder, name, at)
				}
			})
		}
	}
}

// A list that ends early is shorter than what was quoted.
func TestCutList(t *testing.T) {
	m := newMachine(t, "mainline-ima-ng", "binary_runtime_measurements")
	quote, err := attest.OpenQuote(m.quote)
	if err != nil {
		t.Fatal(err)
	}
	eachByte(m.list, func(at int) {
		if m.trustedWith(quote, m.list[:at]) {
			t.Errorf("trusted with the first %d bytes", at)
		}
	})
}

// Entries left out, repeated, or in another order.
func TestRearrangedList(t *testing.T) {
	const folder = "digest-lists-plus11"
	m := newMachine(t, folder, "binary_runtime_measurements")
	all := measurements(t, lists(folder)[1])
	raw := func(i int) []byte { return all[i].Raw }
	for i := range all {
		start, end := int(all[i].Offset), int(all[i].Offset)+len(all[i].Raw)
		for name, list := range map[string][]byte{
			"left out": append(bytes.Clone(m.list[:start]), m.list[end:]...),
			"repeated": append(append(bytes.Clone(m.list[:end]), raw(i)...), m.list[end:]...),
		} {
			changed := *m
			changed.list = list
			// One more entry after the last one is unattested.
			if changed.trusted() && (name != "repeated" || i < len(all)-1) {
				t.Errorf("trusted with entry %d %s", i+1, name)
			}
		}
		// Entries of two PCRs do not depend on each other's order.
		if i == 0 || all[i].PCR != all[i-1].PCR {
			continue
		}
		swapped := append(bytes.Clone(m.list[:all[i-1].Offset]), raw(i)...)
		changed := *m
		changed.list = append(append(swapped, raw(i-1)...), m.list[end:]...)
		if changed.trusted() {
			t.Errorf("trusted with entries %d and %d exchanged", i, i+1)
		}
	}
}

func TestTamperedQuote(t *testing.T) {
	for _, folder := range folders {
		m := newMachine(t, folder, "binary_runtime_measurements")
		for bit := range 8 {
			eachByte(m.quote.Message, func(at int) {
				changed := *m
				changed.quote.Message = flipped(m.quote.Message, at, 1<<bit)
				if changed.trusted() {
					t.Errorf("%s: trusted with bit %d of byte %d of the quote changed", folder, bit, at)
				}
			})
			eachByte(m.quote.Signature, func(at int) {
				changed := *m
				changed.quote.Signature = flipped(m.quote.Signature, at, 1<<bit)
				if changed.trusted() {
					t.Errorf("%s: trusted with bit %d of byte %d of the signature changed", folder, bit, at)
				}
			})
		}
	}
}

func TestTamperedValues(t *testing.T) {
	m := newMachine(t, "mainline-ima-ng", "binary_runtime_measurements")
	text := readPCRs(t, "testdata/mainline-ima-ng/quote.pcrs").AppendText(nil)
	eachByte(text, func(at int) {
		changed := *m
		changed.quote.Values = func([]attest.SelectedBank) (*attest.PCRs, error) {
			return attest.ParsePCRs(flipped(text, at, 1), attest.PCRHint{PCR: -1})
		}
		if changed.trusted() {
			t.Errorf("trusted with byte %d of the values changed", at)
		}
	})
}
