package htmlreport_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/attest"
	"digestlists/internal/htmlreport"
)

var maker = htmlreport.Maker{Tool: "verify_digest_lists v1.2.3", Made: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}

// machineReport is of a machine with digest lists and four files that nobody knows; see
// attest/testdata/README.md.
func machineReport(t *testing.T) *attest.Report {
	t.Helper()
	dir := filepath.Join("..", "..", "attest", "testdata", "digest-lists-plus11")
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	key, err := attest.ParseAttestationKey(read("ak.pem"))
	if err != nil {
		t.Fatal(err)
	}
	quote, err := attest.OpenQuote(attest.QuoteEvidence{
		Message: read("quote.msg"), Signature: read("quote.sig"), Key: key, Nonce: []byte{1, 2, 3, 4, 5, 6, 7, 8},
		Values: func(selection []attest.SelectedBank) (*attest.PCRs, error) {
			return attest.ReadPCRs(filepath.Join(dir, "quote.pcrs"), selection)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := new(attest.Keys)
	if err := keys.Add(read("x509_ima.der"), "x509_ima.der"); err != nil {
		t.Fatal(err)
	}
	references := attest.NewReferences(keys, time.Now())
	if _, err := references.AddTree(filepath.Join(dir, "digest_lists")); err != nil {
		t.Fatal(err)
	}
	evidence := attest.Evidence{Measurements: attest.Measurements(filepath.Join(dir, "binary_runtime_measurements")), Quote: quote}
	report, err := attest.Verify(evidence, attest.Options{References: references, Keys: keys, All: true})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// The same report gives the same page, with nothing in it that points elsewhere.
func TestPage(t *testing.T) {
	var first, second bytes.Buffer
	for _, page := range []*bytes.Buffer{&first, &second} {
		if err := htmlreport.Write(page, machineReport(t), maker); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two runs made different pages")
	}
	for _, link := range []string{"http:", "https:", "src=", "href=", "url(", "@import"} {
		if strings.Contains(first.String(), link) {
			t.Errorf("the page contains %q", link)
		}
	}
	if want := "Made 4 March 2026, 05:06 UTC by verify_digest_lists v1.2.3."; !strings.Contains(first.String(), want) {
		t.Errorf("the page does not say %q", want)
	}
}

func TestEventLog(t *testing.T) {
	r := machineReport(t)
	r.EventLog = &attest.EventLogReport{Events: 42, Boot: "pcrs 0-9"}
	var page bytes.Buffer
	if err := htmlreport.Write(&page, r, maker); err != nil {
		t.Fatal(err)
	}
	if want := "<dd>42 events <small>boot_aggregate by its values: pcrs 0-9; PCRs that differ: 0</small></dd>"; !strings.Contains(page.String(), want) {
		t.Errorf("the page does not contain %s", want)
	}
}

// A quote that does not hold leaves nothing to show but the reason.
func TestRefused(t *testing.T) {
	var page bytes.Buffer
	if err := htmlreport.Write(&page, attest.Refused(attest.ErrNonce), maker); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "<li>quote refused: wrong nonce</li>") || strings.Contains(page.String(), "<table") {
		t.Errorf("got %s", page.String())
	}
}

func TestWriteFails(t *testing.T) {
	if err := htmlreport.Write(full{}, attest.Refused(attest.ErrNonce), maker); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }
