package imasig_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"digestlists/compact"
	"digestlists/internal/imasig"
)

// rsaKeys returns the private keys in testdata, by size and exponent.
func rsaKeys(t testing.TB) map[string]*rsa.PrivateKey {
	t.Helper()
	files, err := os.ReadDir("testdata/rsa")
	if err != nil || len(files) == 0 {
		t.Fatal("no keys", err)
	}
	keys := make(map[string]*rsa.PrivateKey)
	for _, f := range files {
		block, _ := pem.Decode(testdata(t, filepath.Join("rsa", f.Name())))
		if keys[f.Name()], err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			t.Fatal(f.Name(), err)
		}
	}
	return keys
}

// A checker gives each signature to the package and to crypto/rsa.
type checker struct {
	*rsa.PrivateKey
	key *imasig.Key
}

func newChecker(t testing.TB, private *rsa.PrivateKey) checker {
	t.Helper()
	key, err := imasig.NewKey(private.Public(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return checker{private, key}
}

// check reports whether both accept, and fails if they do not agree.
func (c checker) check(t *testing.T, what string, digest, sig []byte) bool {
	t.Helper()
	info, err := imasig.DigestInfo(compact.SHA256, digest)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := c.key.VerifyDigest(compact.SHA256, digest, sig), rsa.VerifyPKCS1v15(&c.PublicKey, 0, info, sig)
	if (ours == nil) != (theirs == nil) || ours != nil && !errors.Is(ours, imasig.ErrBadSignature) {
		t.Errorf("%s: %v, crypto/rsa says %v\nsignature %x", what, ours, theirs, sig)
	}
	return ours == nil
}

// power returns the number whose power is a block: the signature, whatever the block holds
// (RFC 8017 section 5.1.2, with the primes).
func (c checker) power(block []byte) []byte {
	number, p, q := new(big.Int).SetBytes(block), c.Primes[0], c.Primes[1]
	modQ := new(big.Int).Exp(number, c.Precomputed.Dq, q)
	difference := number.Exp(number, c.Precomputed.Dp, p).Sub(number, modQ)
	difference.Mul(difference, c.Precomputed.Qinv).Mod(difference, p)
	return modQ.Add(modQ, difference.Mul(difference, q)).FillBytes(make([]byte, c.Size()))
}

// block returns what a good signature over a digest is of (RFC 8017 section 9.2).
func (c checker) block(t testing.TB, digest []byte) []byte {
	t.Helper()
	info, err := imasig.DigestInfo(compact.SHA256, digest)
	if err != nil {
		t.Fatal(err)
	}
	padding := bytes.Repeat([]byte{0xff}, c.Size()-len(info)-3)
	return append(append(append([]byte{0, 1}, padding...), 0), info...)
}

// Signatures over SHA-256 digests are good for crypto/rsa and for this package, or for neither.
func TestRSA(t *testing.T) {
	digest := bytes.Repeat([]byte{0xd1}, 32)
	other := bytes.Repeat([]byte{0xd2}, 32)
	for name, private := range rsaKeys(t) {
		c := newChecker(t, private)
		good, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest)
		if err != nil {
			t.Fatal(err)
		}
		if !c.check(t, name+" good", digest, good) || !c.check(t, name+" of the block", digest, c.power(c.block(t, digest))) {
			t.Errorf("%s: a good signature is refused", name)
		}
		n := new(big.Int).SetBytes(good)
		for what, sig := range map[string][]byte{
			"of another digest":     c.power(c.block(t, other)),
			"empty":                 {},
			"a byte short":          good[:len(good)-1],
			"a byte more":           append(bytes.Clone(good), 0),
			"a zero before":         append([]byte{0}, good...),
			"zero":                  make([]byte, c.Size()),
			"one":                   c.power([]byte{1}),
			"the modulus":           c.N.FillBytes(make([]byte, c.Size())),
			"the modulus less one":  new(big.Int).Sub(c.N, big.NewInt(1)).FillBytes(make([]byte, c.Size())),
			"the modulus more":      n.Add(n, c.N).Bytes(),
			"ones":                  bytes.Repeat([]byte{0xff}, c.Size()),
			"of a block of type 2":  c.power(changed(c.block(t, digest), 1, 2)),
			"of a broken padding":   c.power(changed(c.block(t, digest), 9, 0)),
			"of no end of padding":  c.power(changed(c.block(t, digest), c.Size()-52, 0xff)),
			"of a short padding":    c.power(append(c.block(t, digest)[1:], 0)),
			"of another algorithm":  c.power(changed(c.block(t, digest), c.Size()-36, 2)),
			"of a larger number":    c.power(changed(c.block(t, digest), 0, 0x7f)),
			"of the digest alone":   c.power(digest),
			"with a PSS encoding":   pss(t, private, digest),
			"with parameters' tail": c.power(append(c.block(t, digest)[2:], 5, 0)),
		} {
			if c.check(t, name+" "+what, digest, sig) {
				t.Errorf("%s: a signature %s is accepted", name, what)
			}
		}
	}
}

func changed(block []byte, at int, to byte) []byte {
	block[at] = to
	return block
}

func pss(t *testing.T, private *rsa.PrivateKey, digest []byte) []byte {
	t.Helper()
	sig, err := rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// A digest that leaves no room for padding has no signature, and is no panic either.
func TestRSATooSmall(t *testing.T) {
	for name, private := range rsaKeys(t) {
		c := newChecker(t, private)
		for _, a := range compact.Algorithms() {
			digest := make([]byte, a.Size())
			err := c.key.VerifyDigest(a, digest, make([]byte, c.Size()))
			if !errors.Is(err, imasig.ErrBadSignature) && !errors.Is(err, imasig.ErrUnsupported) {
				t.Errorf("%s, %s: %v", name, a, err)
			}
		}
	}
}

// Keys that crypto/rsa has no use for are refused when they are made.
func TestNewKeyRSA(t *testing.T) {
	odd := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	tests := []struct {
		n    *big.Int
		e    int
		want error
	}{
		{odd, 65537, nil},
		{odd, 3, nil},
		{odd, 1<<31 - 1, nil},
		{odd, 0, imasig.ErrMalformed},
		{odd, 1, imasig.ErrMalformed},
		{odd, 2, imasig.ErrMalformed},
		{odd, 65536, imasig.ErrMalformed},
		{odd, -3, imasig.ErrMalformed},
		{big.NewInt(0), 3, imasig.ErrMalformed},
		{new(big.Int).Neg(odd), 3, imasig.ErrMalformed},
		{new(big.Int).SetBit(odd, 0, 0), 3, imasig.ErrMalformed},
		{new(big.Int).SetBit(big.NewInt(1), 1022, 1), 3, imasig.ErrUnsupported},
		{new(big.Int).SetBit(big.NewInt(1), 16384, 1), 3, imasig.ErrUnsupported},
	}
	for _, tt := range tests {
		pub := &rsa.PublicKey{N: tt.n, E: tt.e}
		key, err := imasig.NewKey(pub, "test")
		if !errors.Is(err, tt.want) || (key == nil) != (tt.want != nil) {
			t.Errorf("%d bits, exponent %d: %v, %v", tt.n.BitLen(), tt.e, key, err)
		}
		// It has another error for a key that it has no use for.
		theirs := rsa.VerifyPKCS1v15(pub, 0, []byte("info"), make([]byte, pub.Size()))
		if err == nil && theirs != rsa.ErrVerification {
			t.Errorf("%d bits, exponent %d: crypto/rsa says %v", tt.n.BitLen(), tt.e, theirs)
		}
	}
}

// FuzzRSA signs blocks that are nearly right, and takes blocks as signatures.
func FuzzRSA(f *testing.F) {
	digest := bytes.Repeat([]byte{0xd1}, 32)
	keys := rsaKeys(f)
	c := newChecker(f, keys["1024-3.pem"])
	want := c.block(f, digest)
	f.Add(want, true)
	f.Add(want, false)
	f.Add(want[1:], true)
	f.Add(changed(bytes.Clone(want), 9, 0), true)
	f.Add(c.N.Bytes(), false)
	f.Fuzz(func(t *testing.T, block []byte, sign bool) {
		sig := block
		if sign {
			sig = c.power(block)
		}
		number := new(big.Int).SetBytes(block)
		good := sign && number.Mod(number, c.N).Cmp(new(big.Int).SetBytes(want)) == 0
		if accepted := c.check(t, "block", digest, sig); sign && accepted != good {
			t.Errorf("accepted is %v of the signature of %x", accepted, block)
		}
	})
}
