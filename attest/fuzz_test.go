package attest

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"os"
	"testing"
	"time"

	"digestlists/compact"
)

func seed(f *testing.F, paths ...string) {
	f.Helper()
	for _, path := range paths {
		data, err := os.ReadFile("testdata/" + path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// PCR values that are read can be written and read again.
func FuzzParsePCRs(f *testing.F) {
	seed(f, "mainline-ima-ng/quote.pcrs", "mainline-ima-ng/quote.txt", "mainline-ima-ng/pcrs.txt", "schemes/ecdsa.values")
	f.Add([]byte("PCR-10: 00\nsha256:10:00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, hint := range []PCRHint{
			{PCR: -1},
			{Bank: compact.SHA256, PCR: 10},
			{PCR: -1, Selection: []SelectedBank{{compact.SHA1, []int{0, 7, 16}}, {compact.SHA256, []int{0, 1, 2}}}},
		} {
			pcrs, err := ParsePCRs(data, hint)
			if err != nil {
				if pcrs != nil {
					t.Fatalf("values with error %v", err)
				}
				continue
			}
			text := pcrs.AppendText(nil)
			if len(text) == 0 {
				t.Fatal("no values and no error")
			}
			again, err := ParsePCRs(text, PCRHint{PCR: -1})
			if err != nil || !bytes.Equal(again.AppendText(nil), text) {
				t.Fatalf("%s\nreads as error %v", text, err)
			}
		}
	})
}

// Structures of the TPM: no panic, and nothing with an error.
func FuzzParseQuote(f *testing.F) {
	seed(f, "mainline-ima-ng/quote.msg", "schemes/rsapss.msg", "schemes/ecdsa.msg")
	f.Fuzz(func(t *testing.T, data []byte) {
		attested, info, err := parseQuote(data)
		if (err == nil) != (attested != nil && info != nil) {
			t.Fatalf("%v, %v, error %v", attested, info, err)
		}
		if err != nil {
			return
		}
		selection, err := parseSelection(info.PCRSelect)
		if err != nil && selection != nil {
			t.Fatalf("%v, error %v", selection, err)
		}
		for _, s := range selection {
			for _, pcr := range s.PCRs {
				if pcr < 0 || pcr >= NumPCRs || !s.Bank.Valid() {
					t.Fatalf("selection %v", s)
				}
			}
		}
	})
}

func FuzzParseSignature(f *testing.F) {
	seed(f, "mainline-ima-ng/quote.sig", "schemes/rsapss.sig", "schemes/ecdsa.sig", "schemes/sha1.sig")
	key := &AttestationKey{&rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 2047), big.NewInt(1)), E: 65537}}
	f.Fuzz(func(t *testing.T, data []byte) {
		sig, err := parseSignature(data)
		if (err == nil) != (sig != nil) {
			t.Fatalf("%v, error %v", sig, err)
		}
		if sig != nil && key.verify(sig, make([]byte, sig.hash.Size())) == nil {
			t.Fatal("a key without a private part has signed")
		}
	})
}

func FuzzParseAttestationKey(f *testing.F) {
	seed(f, "mainline-ima-ng/ak.pub", "mainline-ima-ng/ak.pem", "schemes/ecdsa.pub", "schemes/rsapss.pub", "schemes/free.pub")
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := ParseAttestationKey(data); (err == nil) != (key != nil) {
			t.Fatalf("%v, error %v", key, err)
		}
	})
}

func FuzzParsePatterns(f *testing.F) {
	f.Add([]byte("/a/*\n# b\n/c/**/d?\n\\*\n"))
	f.Add([]byte("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePatterns(data)
		if (err == nil) != (p != nil) {
			t.Fatalf("%v, error %v", p, err)
		}
		if p != nil && p.Match("", compact.SHA256, make([]byte, 32)) && !bytes.Contains(data, []byte("*")) {
			t.Fatalf("%q matches no name at all", data)
		}
	})
}

// Whatever a list holds, a quote of another one does not make it trusted; and the
// report adds up.
func FuzzVerify(f *testing.F) {
	const folder = "digest-lists-plus11/"
	seed(f, folder+"binary_runtime_measurements", folder+"ascii_runtime_measurements", "mainline-ima-sig/binary_runtime_measurements")
	real, err := os.ReadFile("testdata/" + folder + "binary_runtime_measurements")
	if err != nil {
		f.Fatal(err)
	}
	values, err := ReadPCRs("testdata/"+folder+"quote.pcrs", nil)
	if err != nil {
		f.Fatal(err)
	}
	refs := NewReferences(nil, time.Time{})
	if _, err := refs.AddTree("testdata/" + folder + "digest_lists"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := Evidence{Measurements: ReadMeasurements("list", bytes.NewReader(data)), PCRs: values}
		r, err := Verify(e, Options{References: refs})
		if err != nil {
			if r != nil {
				t.Fatalf("a report with error %v", err)
			}
			return
		}
		// The real list has files that are not known.
		if r.Verdict == Trusted {
			t.Fatalf("trusted: %+v", r)
		}
		if r.Attested > 0 && r.Attested < 57 && bytes.HasPrefix(real, data) {
			t.Fatalf("%d entries attested of a part of the list", r.Attested)
		}
		for _, counts := range []map[Class]int{r.Counts, r.Rest} {
			for class, n := range counts {
				if n <= 0 {
					t.Fatalf("%s: %d", class, n)
				}
			}
		}
	})
}

// Event logs: no panic, memory of the input's size, and values with no error alone.
func FuzzParseEventLog(f *testing.F) {
	seed(f, "uefi/eventlog")
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := ParseEventLog(data)
		if (err == nil) != (log != nil) {
			t.Fatalf("%v, error %v", log, err)
		}
		if log != nil && (log.Events == 0 || log.Events > len(data)/12 || len(log.PCRs.Banks()) == 0) {
			t.Fatalf("%d events in %d bytes", log.Events, len(data))
		}
	})
}

// States: no panic, wherever one says that a list was.
func FuzzParseState(f *testing.F) {
	values, err := ReadPCRs("testdata/digest-lists-plus11/quote.pcrs", nil)
	if err != nil {
		f.Fatal(err)
	}
	e := Evidence{Measurements: Measurements("testdata/digest-lists-plus11/binary_runtime_measurements"), PCRs: values}
	r, err := Verify(e, Options{KeepState: true})
	if err != nil {
		f.Fatal(err)
	}
	r.state.saved.quotePaths()
	state, err := json.Marshal(r.state.saved)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Fuzz(func(t *testing.T, data []byte) {
		// The checksum keeps changes out: what comes after it gets them without.
		saved := new(savedState)
		if strictJSON(data, saved) != nil || saved.unquotePaths() != nil || saved.check() != nil {
			return
		}
		v := newVerifier(Evidence{PCRs: values}, Options{KeepState: true})
		saved.Context = v.context()
		if err := v.resume(saved, nil); err != nil {
			return
		}
		for entry, err := range preparedAhead(Measurements("testdata/mainline-ima-ng/binary_runtime_measurements"), v.preparer()) {
			if err != nil {
				t.Fatal(err)
			}
			v.add(entry)
		}
		v.finish(Evidence{})
	})
}
