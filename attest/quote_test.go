package attest_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
)

func attestationKey(t testing.TB, path ...string) *attest.AttestationKey {
	t.Helper()
	key, err := attest.ParseAttestationKey(readFile(t, path...))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// quoteOf is the quote of a folder of testdata.
func quoteOf(t testing.TB, folder string) attest.QuoteEvidence {
	t.Helper()
	return attest.QuoteEvidence{
		Message: readFile(t, folder, "quote.msg"), Signature: readFile(t, folder, "quote.sig"),
		Key: attestationKey(t, folder, "ak.pem"), Nonce: unhex(t, "0102030405060708"),
		Values: func(selection []attest.SelectedBank) (*attest.PCRs, error) {
			return attest.ReadPCRs(filepath.Join("testdata", folder, "quote.pcrs"), selection)
		},
	}
}

// schemeOf is one of the quotes in testdata/schemes.
func schemeOf(t testing.TB, name string) attest.QuoteEvidence {
	t.Helper()
	e := attest.QuoteEvidence{
		Message: readFile(t, "schemes", name+".msg"), Signature: readFile(t, "schemes", name+".sig"),
		Key: attestationKey(t, "schemes", name+".pem"), Nonce: unhex(t, "cafe"),
	}
	e.Values = func(selection []attest.SelectedBank) (*attest.PCRs, error) {
		return attest.ReadPCRs("testdata/schemes/"+name+".values", selection)
	}
	return e
}

func TestOpenQuote(t *testing.T) {
	for _, folder := range folders {
		e := quoteOf(t, folder)
		for _, key := range []string{"ak.pem", "ak.pub"} {
			e.Key = attestationKey(t, folder, key)
			q, err := attest.OpenQuote(e)
			if err != nil {
				t.Fatalf("%s, %s: %v", folder, key, err)
			}
			if got := fmt.Sprint(q.Selection, q.Signature); got != "[sha1:0-11 sha256:0-11]rsassa-sha256" {
				t.Errorf("%s: %s", folder, got)
			}
			want := readPCRs(t, filepath.Join("testdata", folder, "quote.txt")).AppendText(nil)
			if got := q.PCRs.AppendText(nil); !bytes.Equal(got, want) {
				t.Errorf("%s: values\n%swant\n%s", folder, got, want)
			}
		}
	}
}

func TestQuoteFacts(t *testing.T) {
	q, err := attest.OpenQuote(quoteOf(t, "digest-lists-plus11"))
	if err != nil {
		t.Fatal(err)
	}
	// As in quote.msg: u64 clock, u32 resets, u32 restarts, u8 safe, u64 firmware.
	if q.Clock != 0x144d || q.Resets != 1 || q.Restarts != 0 || !q.Safe || q.Firmware != 0x2019102300163636 {
		t.Errorf("%+v", q)
	}
}

func TestSchemes(t *testing.T) {
	for name, want := range map[string]string{"rsapss": "rsapss-sha384", "ecdsa": "ecdsa-sha256"} {
		e := schemeOf(t, name)
		for _, key := range []string{".pem", ".pub"} {
			e.Key = attestationKey(t, "schemes", name+key)
			q, err := attest.OpenQuote(e)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if q.Signature != want || fmt.Sprint(q.Selection) != "[sha1:0,7,16 sha256:0-10,16]" {
				t.Errorf("%s: %s over %v", name, q.Signature, q.Selection)
			}
			if q.PCRs.Value(compact.SHA1, 10) != nil || q.PCRs.Value(compact.SHA256, 10) == nil {
				t.Errorf("%s: values %s", name, q.PCRs.AppendText(nil))
			}
		}
	}
}

func TestSHA1Quote(t *testing.T) {
	e := schemeOf(t, "sha1")
	if _, err := attest.OpenQuote(e); !errors.Is(err, attest.ErrWeakHash) {
		t.Errorf("error %v, want ErrWeakHash", err)
	}
	e.AllowSHA1 = true
	if q, err := attest.OpenQuote(e); err != nil || q.Signature != "rsassa-sha1" {
		t.Errorf("%v, error %v", q, err)
	}
}

func TestOpenQuoteRefuses(t *testing.T) {
	const folder = "mainline-ima-ng"
	for _, test := range []struct {
		name   string
		change func(e *attest.QuoteEvidence)
		err    error
		text   string
	}{
		{"nonce", func(e *attest.QuoteEvidence) { e.Nonce = unhex(t, "0102030405060709") }, attest.ErrNonce, "wrong nonce: the quote has 0102030405060708, want 0102030405060709"},
		{"no nonce", func(e *attest.QuoteEvidence) { e.Nonce = nil }, attest.ErrNonce, ""},
		{"other machine's key", func(e *attest.QuoteEvidence) { e.Key = attestationKey(t, "mainline-ima-sig", "ak.pem") }, attest.ErrSignature, ""},
		{"key of another kind", func(e *attest.QuoteEvidence) { e.Key = attestationKey(t, "schemes", "ecdsa.pem") }, attest.ErrSignature, "the key is an ECDSA key"},
		{"other quote", func(e *attest.QuoteEvidence) { e.Message = readFile(t, "mainline-ima-sig", "quote.msg") }, attest.ErrSignature, ""},
		{"cut signature", func(e *attest.QuoteEvidence) { e.Signature = e.Signature[:100] }, compact.ErrMalformed, ""},
		{"bytes after the signature", func(e *attest.QuoteEvidence) { e.Signature = append(e.Signature, 0) }, compact.ErrMalformed, "belong to the structure"},
		{"no signature", func(e *attest.QuoteEvidence) { e.Signature = nil }, compact.ErrMalformed, ""},
		{"other PCR values", func(e *attest.QuoteEvidence) {
			e.Values = func([]attest.SelectedBank) (*attest.PCRs, error) {
				return attest.ReadPCRs("testdata/mainline-ima-sig/quote.pcrs", nil)
			}
		}, attest.ErrPCRValues, "their digest is"},
		{"fewer PCR values", func(e *attest.QuoteEvidence) {
			e.Values = func([]attest.SelectedBank) (*attest.PCRs, error) {
				return attest.ParsePCRs([]byte("sha1:0:"+strings.Repeat("00", 20)), attest.PCRHint{})
			}
		}, attest.ErrPCRValues, "PCR 1 of bank sha1 is quoted and has no value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := quoteOf(t, folder)
			test.change(&e)
			q, err := attest.OpenQuote(e)
			if q != nil || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%v, error %v, want %v with %q", q, err, test.err, test.text)
			}
		})
	}
}

func TestAttestationKeyRefused(t *testing.T) {
	pem := readFile(t, "mainline-ima-ng", "ak.pem")
	pub := readFile(t, "mainline-ima-ng", "ak.pub")
	for name, test := range map[string]struct {
		data []byte
		err  error
	}{
		"may sign anything": {readFile(t, "schemes", "free.pub"), attest.ErrKey},
		"empty":             {nil, compact.ErrMalformed},
		"two keys":          {append(bytes.Clone(pem), pem...), compact.ErrMalformed},
		"cut PEM":           {pem[:100], compact.ErrMalformed},
		"cut TPM2B_PUBLIC":  {pub[:100], compact.ErrMalformed},
		"certificate":       {readFile(t, "digest-lists-plus11", "x509_ima.der"), compact.ErrMalformed},
	} {
		if key, err := attest.ParseAttestationKey(test.data); key != nil || !errors.Is(err, test.err) {
			t.Errorf("%s: %v, error %v, want %v", name, key, err, test.err)
		}
	}
}
