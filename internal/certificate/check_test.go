package certificate_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"digestlists/internal/certificate"
	"digestlists/internal/signkey"
)

var now = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func newCertificate(t *testing.T, kind string, days int) *x509.Certificate {
	t.Helper()
	key, err := signkey.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	der, err := certificate.Make(key, "test", now, days, nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := certificate.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// What the kernel is known to trust, and when it is, decide on the same certificate.
func TestCheckByKernelAndTime(t *testing.T) {
	cert := newCertificate(t, "p-256", 10)
	tests := []struct {
		name   string
		kernel certificate.Kernel
		now    time.Time
		want   string // of an error, or nothing
	}{
		{"any", certificate.Kernel{}, now, ""},
		{"clock behind", certificate.Kernel{}, now.Add(-23 * time.Hour), ""},
		{"too early", certificate.Kernel{}, now.Add(-25 * time.Hour), "it is valid from 2024-02-28T12:00:00Z on"},
		{"too late", certificate.Kernel{}, now.AddDate(0, 0, 11), "it was valid until 2024-03-10T12:00:00Z"},
		{"trusts it", certificate.Kernel{Trusts: [][]byte{nil, cert.AuthorityKeyId}}, now, ""},
		{"trusts nobody", certificate.Kernel{Trusts: [][]byte{}}, now, "the kernel does not trust the key that signed it"},
		{"trusts another", certificate.Kernel{Trusts: [][]byte{[]byte("another key's id 123")}}, now, "the kernel does not trust"},
		{"with ECDSA", certificate.Kernel{Config: map[string]bool{"CRYPTO_ECDSA": true}}, now, ""},
		{"without ECDSA", certificate.Kernel{Config: map[string]bool{"CRYPTO_ECDSA": false}}, now, "built without CRYPTO_ECDSA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errors []string
			for _, f := range certificate.Check(cert, &tt.kernel, tt.now) {
				if f.Bad {
					errors = append(errors, f.Text)
				}
			}
			switch {
			case tt.want == "" && errors != nil:
				t.Errorf("%q", errors)
			case tt.want != "" && (len(errors) != 1 || !strings.Contains(errors[0], tt.want)):
				t.Errorf("%q, want %q", errors, tt.want)
			}
		})
	}
}

func TestParseIsForOneCertificate(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
	pair, err := signkey.Generate("p-256")
	if err != nil {
		t.Fatal(err)
	}
	der, err := certificate.Make(pair, "both", time.Now(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	for name, text := range map[string]string{
		"nothing": "", "text": "certificate", "key": key, "two": cert + cert,
		"list": cert + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
	} {
		if cert, err := certificate.Parse([]byte(text)); err == nil || cert != nil {
			t.Errorf("%s: %v, %v", name, cert, err)
		}
	}
	for name, text := range map[string]string{"alone": cert, "before its key": cert + key, "after its key": key + cert} {
		if got, err := certificate.Parse([]byte(text)); err != nil || !bytes.Equal(got.Raw, der) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
