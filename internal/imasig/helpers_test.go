package imasig_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/internal/imasig"
)

// now is a time within the validity of the certificates in testdata.
var now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	return read(t, filepath.Join("testdata", name))
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

// run runs a tool in dir and returns what it printed.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
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
	cmd := append([]string{"openssl", "req", "-x509", "-nodes", "-subj", "/CN=test", "-keyout", "key.pem", "-out", "cert.pem", "-newkey"}, strings.Fields(key)...)
	run(t, dir, append(cmd, args...)...)
	run(t, dir, "openssl", "x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der")
	run(t, dir, "openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem")
	return pair{dir, read(t, filepath.Join(dir, "cert.der"))}
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
