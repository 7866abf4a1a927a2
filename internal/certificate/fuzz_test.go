package certificate_test

import (
	"crypto/x509"
	"os"
	"testing"

	"digestlists/internal/certificate"
)

// Whatever certificate can be read, there is something to say of it that is not empty.
func FuzzCheck(f *testing.F) {
	for _, name := range []string{"x509_golden.der", "x509_other.der", "expired.der"} {
		der, err := os.ReadFile("../../test/inputs/keys/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	kernel := &certificate.Kernel{Config: map[string]bool{"CRYPTO_ECDSA": false}, Trusts: [][]byte{{1, 2, 3, 4}}}
	f.Fuzz(func(t *testing.T, der []byte) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		findings := certificate.Check(cert, kernel, now)
		if len(findings) == 0 {
			t.Fatal("nothing is found though the kernel does not trust it")
		}
		for _, found := range findings {
			if found.Text == "" {
				t.Fatalf("%+v", findings)
			}
		}
	})
}
