// Command makekey makes a throw-away signing key and its certificate, so that the
// demo needs nothing but Go. With openssl, the same is:
//
//	openssl req -new -x509 -newkey rsa:2048 -noenc -subj "/CN=digest lists" \
//	    -addext keyUsage=digitalSignature -keyout key.pem -outform der -out cert.der
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: makekey KEY.pem CERT.der")
		os.Exit(2)
	}
	if err := makeKey(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "makekey: error:", err)
		os.Exit(3)
	}
}

func makeKey(keyFile, certFile string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "digest lists demo"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(certFile, cert, 0o644)
}
