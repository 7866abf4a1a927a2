package imasig_test

import (
	"bytes"
	"errors"
	"testing"

	"digestlists/internal/imasig"
)

// TestGolden verifies what the C tool and a kernel's administrator have signed.
func TestGolden(t *testing.T) {
	for _, c := range []struct{ list, sig, cert, keyID string }{
		{"list", "rsa2048-sha256.ima", "x509_golden.der", "2bd31990"},
		{"list", "rsa2048-sha512.ima", "x509_golden.der", "2bd31990"},
		{"list", "rsa4096-sha256.ima", "x509_4096.der", "c918261c"},
		{"x509_golden.der", "certificate-rsa2048-sha256.ima", "x509_golden.der", "2bd31990"},
		{"kernel-list", "kernel-list.ima", "x509_kernel.der", "7cb19567"},
	} {
		t.Run(c.sig, func(t *testing.T) {
			value := testdata(t, c.sig)
			sig, err := imasig.Parse(value)
			if err != nil {
				t.Fatal(err)
			}
			if got := sig.KeyID.String(); got != c.keyID {
				t.Errorf("key id %s, want %s", got, c.keyID)
			}
			if !bytes.Equal(sig.Marshal(), value) {
				t.Error("not the same when written again")
			}
			key, err := keyring(t, testdata(t, c.cert)).Verify(testdata(t, c.list), sig, now)
			if err != nil {
				t.Fatal(err)
			}
			if key.ID != sig.KeyID {
				t.Errorf("verified with key %s", key.ID)
			}
		})
	}
}

// TestFlippedBits changes the signature and the content bit by bit: nothing of it
// must verify, and the class of each error must be right.
func TestFlippedBits(t *testing.T) {
	list, value := testdata(t, "kernel-list"), testdata(t, "kernel-list.ima")
	keys := keyring(t, testdata(t, "x509_kernel.der"))
	good, err := imasig.Parse(value)
	if err != nil {
		t.Fatal(err)
	}

	flips(list, func(at int, changed []byte) {
		if _, err := keys.Verify(changed, good, now); !errors.Is(err, imasig.ErrBadSignature) {
			t.Errorf("content byte %d: %v", at, err)
		}
	})
	flips(value, func(at int, changed []byte) {
		sig, err := imasig.Parse(changed)
		if err == nil {
			_, err = keys.Verify(list, sig, now)
		}
		var unknown *imasig.UnknownKeyError
		switch {
		case err == nil:
			t.Errorf("signature byte %d: verified", at)
		case at >= 3 && at < 7 && !errors.As(err, &unknown):
			t.Errorf("key id byte %d: %v", at, err)
		case at >= 9 && !errors.Is(err, imasig.ErrBadSignature):
			t.Errorf("signature byte %d: %v", at, err)
		}
	})
}

// TestCutOff cuts the attribute at each length: it is always malformed.
func TestCutOff(t *testing.T) {
	value := testdata(t, "rsa2048-sha256.ima")
	for n := range value {
		if sig, err := imasig.Parse(value[:n]); !errors.Is(err, imasig.ErrMalformed) || sig.Sig != nil {
			t.Errorf("%d bytes: %v, %v", n, sig, err)
		}
	}
	if _, err := imasig.Parse(append(value, 0)); !errors.Is(err, imasig.ErrMalformed) {
		t.Errorf("one byte more: %v", err)
	}
}
