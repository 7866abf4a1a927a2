// Package certificate makes certificates for keys that sign lists and files, and
// tells whether a kernel would take one into its keyrings.
package certificate

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"digestlists/internal/signkey"
)

// A CA signs certificates.
type CA struct {
	Key  *signkey.Key
	Cert *x509.Certificate
}

// errNotCA is a certificate that does not allow to sign others.
var errNotCA = errors.New("not a CA certificate")

// NewCA checks that a key and a certificate are those of one CA.
func NewCA(key *signkey.Key, cert *x509.Certificate) (*CA, error) {
	switch {
	case !key.Public().Equal(cert.PublicKey):
		return nil, signkey.ErrKeyMismatch
	case !cert.BasicConstraintsValid || !cert.IsCA:
		return nil, fmt.Errorf("%w: basic constraints do not say CA:TRUE", errNotCA)
	case cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, fmt.Errorf("%w: its key usage has no keyCertSign", errNotCA)
	case len(cert.SubjectKeyId) == 0:
		return nil, fmt.Errorf("%w: without a subject key identifier kernels do not find it", errNotCA)
	}
	return &CA{key, cert}, nil
}

// Make returns the DER of a certificate for a key, from the time now on: for signatures
// only, with the key identifiers that kernels look keys up by. It is signed by the CA, or
// by the key itself if that is nil.
func Make(key *signkey.Key, name string, now time.Time, days int, ca *CA) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	id := key.Public().SubjectKeyID()
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)), // not zero
		Subject:      pkix.Name{CommonName: name},
		// Clocks differ, and a machine without a battery starts in the past.
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.AddDate(0, 0, days),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true, // CA:FALSE
		SubjectKeyId:          id,
		AuthorityKeyId:        id,
	}
	if ca == nil {
		return x509.CreateCertificate(rand.Reader, template, template, key.Signer().Public(), key.Signer())
	}
	if template.NotAfter.After(ca.Cert.NotAfter) {
		return nil, fmt.Errorf("%d days are more than the CA is valid: until %s", days, ca.Cert.NotAfter.UTC().Format(time.DateOnly))
	}
	template.AuthorityKeyId = ca.Cert.SubjectKeyId
	return x509.CreateCertificate(rand.Reader, template, ca.Cert, key.Signer().Public(), ca.Key.Signer())
}

// Parse reads one certificate, in PEM or DER. In PEM its private key may be in the same
// file, as that of the key that signs a kernel's modules is.
func Parse(data []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return x509.ParseCertificate(data)
	}
	var found *pem.Block
	for ; block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		case block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE":
			return nil, fmt.Errorf("PEM block %q, want a certificate", block.Type)
		case found != nil:
			return nil, errors.New("two certificates in the file, want one")
		default:
			found = block
		}
	}
	if found == nil {
		return nil, errors.New("a private key alone, want a certificate")
	}
	return x509.ParseCertificate(found.Bytes)
}
