package setup

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// keyBits is what signatures of lists take: each is as long.
const keyBits = 3072

// validity is how long a certificate made here is good; the kernel does not look at it,
// verifiers do.
const validity = 10 * 365 * 24 * time.Hour

// makeKey makes a key and a certificate of the form that the kernel wants: with key
// identifiers, for digital signatures only (Documentation/security/keys and
// crypto/asymmetric_keys of Linux; x509_cert_parser.c reads them).
func makeKey(keyPath, certPath string) error {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "digest lists"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	id := sha1.Sum(x509.MarshalPKCS1PublicKey(&key.PublicKey)) // RFC 5280, 4.2.1.2, method 1
	template.SubjectKeyId, template.AuthorityKeyId = id[:], id[:]
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	for _, dir := range []string{filepath.Dir(keyPath), filepath.Dir(certPath)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// The key is never there for others to read, not even while it is written.
	return errors.Join(writeFile(keyPath, text, 0o600), writeFile(certPath, der, 0o644))
}
