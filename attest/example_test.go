package attest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"digestlists/attest"
	"digestlists/compact"
)

// The evidence of a machine that loads two digest lists.
const evidenceDir = "testdata/digest-lists-plus11"

func read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(evidenceDir, name))
	if err != nil {
		panic(err)
	}
	return data
}

// A verifier checks the quote, loads what it knows, and asks for the verdict.
func ExampleVerify() {
	key, err := attest.ParseAttestationKey(read("ak.pem"))
	if err != nil {
		fmt.Println(err)
		return
	}
	quote, err := attest.OpenQuote(attest.QuoteEvidence{
		Message: read("quote.msg"), Signature: read("quote.sig"), Key: key,
		Nonce: []byte{1, 2, 3, 4, 5, 6, 7, 8},
		Values: func(selection []attest.SelectedBank) (*attest.PCRs, error) {
			return attest.ReadPCRs(filepath.Join(evidenceDir, "quote.pcrs"), selection)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	references := attest.NewReferences(nil, time.Now())
	if _, err := references.AddTree(filepath.Join(evidenceDir, "digest_lists")); err != nil {
		fmt.Println(err)
		return
	}
	report, err := attest.Verify(attest.Evidence{
		Measurements: attest.Measurements(filepath.Join(evidenceDir, "binary_runtime_measurements")),
		Quote:        quote,
	}, attest.Options{References: references, Now: time.Now()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Verdict, report.Reasons)
	for _, f := range report.Findings {
		fmt.Println(f.Class, f.Path)
	}
	// Output:
	// not trusted [4 unknown]
	// unknown /init
	// unknown /opt/p1/busybox
	// unknown /opt/p2/busybox
	// unknown /opt/p3/busybox
}

// A replay says how much of a list PCR values attest, without any reference.
func ExampleReplay() {
	values, err := attest.ReadPCRs(filepath.Join(evidenceDir, "quote.pcrs"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	replay := attest.NewReplay(values)
	for m, err := range attest.Measurements(filepath.Join(evidenceDir, "ascii_runtime_measurements")) {
		if err != nil {
			fmt.Println(err)
			return
		}
		replay.Add(m)
	}
	attested, ok := replay.Attested()
	fmt.Println(attested, "of", replay.Entries(), ok)
	for _, r := range replay.Registers() {
		fmt.Printf("PCR %d %s: %s\n", r.PCR, r.Bank, r.Rule)
	}
	// Output:
	// 57 of 57 true
	// PCR 10 sha1: own hash
	// PCR 10 sha256: own hash
	// PCR 11 sha1: own hash
	// PCR 11 sha256: own hash
}

// A verifier that polls keeps the state of each machine, and replays only what is new.
func ExampleReport_State() {
	values, err := attest.ReadPCRs(filepath.Join(evidenceDir, "quote.pcrs"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	references := attest.NewReferences(nil, time.Now())
	if _, err := references.AddTree(filepath.Join(evidenceDir, "digest_lists")); err != nil {
		fmt.Println(err)
		return
	}
	evidence := attest.Evidence{Measurements: attest.Measurements(filepath.Join(evidenceDir, "binary_runtime_measurements")), PCRs: values}
	options := attest.Options{References: references, KeepState: true}
	first, err := attest.Verify(evidence, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	kept, err := json.Marshal(first.State())
	if err != nil {
		fmt.Println(err)
		return
	}
	if options.From, err = attest.ParseState(kept); err != nil {
		fmt.Println(err)
		return
	}
	second, err := attest.Verify(evidence, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(options.From.Entries(), second.Verdict, second.Reasons)
	// Output:
	// 57 not trusted [4 unknown]
}

func ExampleParsePatterns() {
	patterns, err := attest.ParsePatterns([]byte("# our own\n/opt/*/busybox\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(patterns.Match("/opt/p1/busybox", compact.SHA256, nil))
	fmt.Println(patterns.Match("/opt/a/b/busybox", compact.SHA256, nil))
	_, err = attest.ParsePatterns([]byte("/opt/*\n\n"))
	fmt.Println(err)
	// Output:
	// true
	// false
	// line 2: malformed: an empty line, want a pattern
}
