package imasig_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
)

// now is a time within the validity of the certificates in testdata.
var now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	return hosttest.Read(t, filepath.Join("testdata", name))
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// keyring returns a keyring of certificates.
func keyring(t testing.TB, certificates ...[]byte) *imasig.Keyring {
	t.Helper()
	keys := new(imasig.Keyring)
	for _, der := range certificates {
		if err := keys.AddCertificate(der, "test"); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// A pair is a private key and its certificate, made by openssl.
type pair struct {
	dir  string // holds key.pem, cert.pem, cert.der, pub.pem
	cert []byte // DER
}

// makePair makes a self-signed certificate. Key is what openssl req -newkey takes,
// with -pkeyopt options after a space; args are more arguments.
func makePair(t testing.TB, key string, args ...string) pair {
	t.Helper()
	dir := t.TempDir()
	request := append([]string{"req", "-x509", "-nodes", "-subj", "/CN=test", "-keyout", "key.pem", "-out", "cert.pem", "-newkey"}, strings.Fields(key)...)
	hosttest.Run(t, dir, "openssl", append(request, args...)...)
	hosttest.Run(t, dir, "openssl", "x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der")
	hosttest.Run(t, dir, "openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem")
	return pair{dir, hosttest.Read(t, filepath.Join(dir, "cert.der"))}
}

const ec = "ec -pkeyopt ec_paramgen_curve:"

// flips calls f with every copy of data that has one bit changed, a few bits of each
// byte where data is long.
func flips(data []byte, f func(at int, changed []byte)) {
	for i := range data {
		for bit := i % 3; bit < 8; bit += 3 {
			changed := bytes.Clone(data)
			changed[i] ^= 1 << bit
			f(i, changed)
		}
	}
}
