package imasig_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/signkey"

	"github.com/smallstep/pkcs7"
)

const marker = "~Module signature appended~\n"

// trailer is struct module_signature and the marker.
func trailer(info [8]byte, size uint32) []byte {
	return append(binary.BigEndian.AppendUint32(info[:], size), marker...)
}

var pkcs7Info = [8]byte{2: 2}

func appendTo(content, der []byte) []byte {
	return bytes.Join([][]byte{content, der, trailer(pkcs7Info, uint32(len(der)))}, nil)
}

// openData opens data as the bytes of a list that has nothing but what is appended.
func openData(t *testing.T, keys *imasig.Keyring, data []byte, at time.Time) (*imasig.Verified, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list")
	write(t, path, data)
	found, err := imasig.Find(path, data)
	if err != nil {
		return nil, err
	}
	return keys.Open(found, at)
}

func signer(t *testing.T, p pair) *signkey.Key {
	t.Helper()
	key, err := signkey.Load(filepath.Join(p.dir, "key.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestAppendedOpenSSL makes and verifies appended signatures both ways with openssl cms,
// and for RSA wants the very same bytes.
func TestAppendedOpenSSL(t *testing.T) {
	content := testdata(t, "list")
	for _, c := range []struct {
		key  string
		algs []compact.Algorithm
	}{
		{"rsa:2048", []compact.Algorithm{compact.SHA1, compact.SHA224, compact.SHA256, compact.SHA384, compact.SHA512}},
		{ec + "P-256", []compact.Algorithm{compact.SHA256, compact.SHA512}},
		{ec + "P-384", []compact.Algorithm{compact.SHA384}},
	} {
		p := makePair(t, c.key)
		keys, key := keyring(t, p.cert), signer(t, p)
		write(t, filepath.Join(p.dir, "list"), content)
		for _, alg := range c.algs {
			t.Run(c.key+" "+alg.String(), func(t *testing.T) {
				ours, err := imasig.AppendPKCS7(content, alg, key, keys.Keys()[0])
				if err != nil {
					t.Fatal(err)
				}
				_, der, ok, err := imasig.SplitAppended(ours)
				if err != nil || !ok {
					t.Fatal(ok, err)
				}
				write(t, filepath.Join(p.dir, "ours.p7s"), der)
				hosttest.Run(t, p.dir, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "ours.p7s", "-content", "list",
					"-certfile", "cert.pem", "-CAfile", "cert.pem", "-purpose", "any", "-out", "/dev/null")

				for _, form := range [][]string{nil, {"-keyid"}, {"-nocerts"}} {
					args := []string{
						"cms", "-sign", "-binary", "-noattr", "-outform", "DER", "-md", alg.String(),
						"-in", "list", "-signer", "cert.pem", "-inkey", "key.pem", "-out", "theirs.p7s",
					}
					hosttest.Run(t, p.dir, "openssl", append(args, form...)...)
					theirs := hosttest.Read(t, filepath.Join(p.dir, "theirs.p7s"))
					verified, err := openData(t, keys, appendTo(content, theirs), time.Now())
					if err != nil || !bytes.Equal(verified.Content, content) {
						t.Errorf("openssl cms %v: %v", form, err)
					}
					if len(form) == 1 && form[0] == "-nocerts" && strings.HasPrefix(c.key, "rsa") && !bytes.Equal(der, theirs) {
						t.Errorf("ours\n%x, openssl's\n%x", der, theirs)
					}
				}

				parsed, err := pkcs7.Parse(der)
				if err != nil {
					t.Fatalf("another library: %v", err)
				}
				if len(parsed.Signers) != 1 {
					t.Errorf("another library sees %d signers", len(parsed.Signers))
				}
			})
		}
	}
}

// TestAppendedErrors has openssl make what is not to be accepted.
func TestAppendedErrors(t *testing.T) {
	p, other := makePair(t, "rsa:2048"), makePair(t, "rsa:1024")
	keys, content := keyring(t, p.cert), []byte("content of a list")
	write(t, filepath.Join(p.dir, "list"), content)
	cms := func(args ...string) []byte {
		t.Helper()
		hosttest.Run(t, p.dir, "openssl", append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-in", "list", "-inkey", "key.pem", "-signer", "cert.pem", "-out", "out"}, args...)...)
		return hosttest.Read(t, filepath.Join(p.dir, "out"))
	}
	good := cms("-noattr", "-nocerts")
	otherCert := filepath.Join(other.dir, "cert.pem")
	otherKey := filepath.Join(other.dir, "key.pem")

	for name, c := range map[string]struct {
		der  []byte
		want error
		text string
	}{
		"signed attributes": {cms(), imasig.ErrUnsupported, "signed attributes"},
		"content inside":    {cms("-noattr", "-nodetach"), imasig.ErrUnsupported, "content inside"},
		"PSS":               {cms("-noattr", "-keyopt", "rsa_padding_mode:pss"), imasig.ErrUnsupported, "1.2.840.113549.1.1.10"},
		"two signers":       {cms("-noattr", "-signer", otherCert, "-inkey", otherKey), imasig.ErrUnsupported, "several signers"},
		"not PKCS#7":        {[]byte("hello"), imasig.ErrMalformed, "not a PKCS#7 message"},
		"a certificate":     {p.cert, imasig.ErrMalformed, "not a PKCS#7 message"},
		"trailing byte":     {append(bytes.Clone(good), 0), imasig.ErrMalformed, "not a PKCS#7 message"},
		"leading byte":      {append([]byte{0}, good...), imasig.ErrMalformed, "not a PKCS#7 message"},
	} {
		t.Run(name, func(t *testing.T) {
			verified, err := openData(t, keys, appendTo(content, c.der), time.Now())
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || verified != nil {
				t.Errorf("%v, %v, want %v with %q", verified, err, c.want, c.text)
			}
		})
	}

	data := appendTo(content, good)
	if _, err := openData(t, keys, data, time.Now().AddDate(1, 0, 0)); !errors.Is(err, imasig.ErrExpiredKey) {
		t.Errorf("a year later: %v", err)
	}
	var unknown *imasig.UnknownKeyError
	if _, err := openData(t, keyring(t, other.cert), data, time.Now()); !errors.As(err, &unknown) || !strings.Contains(unknown.ID, "serial number") {
		t.Errorf("unknown issuer: %v", err)
	}
	if _, err := openData(t, keyring(t, other.cert), appendTo(content, cms("-noattr", "-keyid")), time.Now()); !errors.As(err, &unknown) || !strings.HasSuffix(unknown.ID, keys.Keys()[0].ID.String()) {
		t.Errorf("unknown key id: %v", err)
	}

	flips(data, func(at int, changed []byte) {
		_, err := openData(t, keys, changed, time.Now())
		if err != nil {
			return
		}
		// Nothing signs the versions, nor the algorithms that are named twice.
		content, der, _, _ := imasig.SplitAppended(changed)
		if !bytes.Equal(content, data[:len(content)]) || !sameSignature(der, good) {
			t.Errorf("verified with a bit of byte %d changed", at)
		}
	})
}

// sameSignature reports whether two messages have the same signature value, which is
// what they end in.
func sameSignature(a, b []byte) bool {
	const size = 256
	return len(a) == len(b) && bytes.Equal(a[len(a)-size:], b[len(b)-size:])
}

func TestAppendNeedsRightCertificate(t *testing.T) {
	p, other := makePair(t, "rsa:1024"), makePair(t, "rsa:1024")
	bare := new(imasig.Keyring)
	if err := bare.AddPublicKey(hosttest.Read(t, filepath.Join(p.dir, "pub.pem")), "pub.pem"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cert *imasig.Key
		want error
	}{
		"none":       {nil, imasig.ErrUnsupported},
		"public key": {bare.Keys()[0], imasig.ErrUnsupported},
		"another's":  {keyring(t, other.cert).Keys()[0], imasig.ErrBadSignature},
	} {
		if data, err := imasig.AppendPKCS7([]byte("x"), compact.SHA256, signer(t, p), c.cert); !errors.Is(err, c.want) || data != nil {
			t.Errorf("%s: %x, %v", name, data, err)
		}
	}
	p = makePair(t, ec+"P-256")
	if data, err := imasig.AppendPKCS7([]byte("x"), compact.MD5, signer(t, p), keyring(t, p.cert).Keys()[0]); !errors.Is(err, compact.ErrUnsupportedAlgorithm) || data != nil {
		t.Errorf("ECDSA with md5: %x, %v", data, err)
	}
}

func TestSplitAppended(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		ok   bool
		want error
		text string
	}{
		"plain":            {[]byte("content"), false, nil, ""},
		"empty":            {nil, false, nil, ""},
		"marker amidst":    {[]byte(marker + "content"), false, nil, ""},
		"without newline":  {[]byte("content" + strings.TrimSpace(marker)), false, nil, ""},
		"good":             {appendTo([]byte("content"), []byte("sig")), true, nil, ""},
		"no content":       {appendTo(nil, []byte("sig")), true, nil, ""},
		"marker only":      {[]byte(marker), false, imasig.ErrMalformed, "0 bytes before the marker"},
		"cut structure":    {trailer(pkcs7Info, 0)[1:], false, imasig.ErrMalformed, "11 bytes before the marker"},
		"no signature":     {append([]byte("content"), trailer(pkcs7Info, 0)...), false, imasig.ErrMalformed, "offset 15: length 0, want 1 to 7"},
		"length too large": {append([]byte("content"), trailer(pkcs7Info, 8)...), false, imasig.ErrMalformed, "length 8, want 1 to 7"},
		"length huge":      {append([]byte("content"), trailer(pkcs7Info, 1<<32-1)...), false, imasig.ErrMalformed, "length 4294967295"},
		"OpenPGP":          {append([]byte("content"), trailer([8]byte{}, 3)...), false, imasig.ErrUnsupported, "OpenPGP"},
		"id type":          {append([]byte("content"), trailer([8]byte{2: 1}, 3)...), false, imasig.ErrMalformed, "offset 9: id type 1"},
		"algorithm":        {append([]byte("content"), trailer([8]byte{0: 1, 2: 2}, 3)...), false, imasig.ErrMalformed, "must be zero"},
		"hash":             {append([]byte("content"), trailer([8]byte{1: 4, 2: 2}, 3)...), false, imasig.ErrMalformed, "must be zero"},
		"signer's length":  {append([]byte("content"), trailer([8]byte{2: 2, 3: 1}, 3)...), false, imasig.ErrMalformed, "must be zero"},
		"padding":          {append([]byte("content"), trailer([8]byte{2: 2, 7: 1}, 3)...), false, imasig.ErrMalformed, "must be zero"},
	} {
		t.Run(name, func(t *testing.T) {
			content, der, ok, err := imasig.SplitAppended(c.data)
			if !errors.Is(err, c.want) || ok != c.ok {
				t.Fatalf("%t, %v, want %t, %v", ok, err, c.ok, c.want)
			}
			switch {
			case err != nil && (!strings.Contains(err.Error(), c.text) || content != nil || der != nil):
				t.Errorf("%q, %q, %v", content, der, err)
			case err == nil && !ok && !bytes.Equal(content, c.data):
				t.Errorf("content %q", content)
			case ok && (string(der) != "sig" || !bytes.Equal(appendTo(content, der), c.data)):
				t.Errorf("%q, %q", content, der)
			}
		})
	}
	// A structure that is broken is an error even where there is another signature.
	path := filepath.Join(t.TempDir(), "list")
	write(t, path, []byte(marker))
	if found, err := imasig.Find(path, []byte(marker)); !errors.Is(err, imasig.ErrMalformed) || found != nil {
		t.Errorf("Find: %v, %v", found, err)
	}
}

func FuzzAppended(f *testing.F) {
	p := makePair(f, "rsa:1024")
	content := []byte("content of a list")
	write(f, filepath.Join(p.dir, "list"), content)
	for _, form := range [][]string{{"-nocerts"}, {"-keyid"}, {"-nodetach"}} {
		hosttest.Run(f, p.dir, "openssl", append([]string{"cms", "-sign", "-binary", "-noattr", "-outform", "DER", "-in", "list", "-signer", "cert.pem", "-inkey", "key.pem", "-out", "sig"}, form...)...)
		f.Add(appendTo(content, hosttest.Read(f, filepath.Join(p.dir, "sig"))))
	}
	keys := keyring(f, p.cert)
	path := filepath.Join(p.dir, "unsigned")
	write(f, path, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		signed, der, ok, err := imasig.SplitAppended(data)
		if err != nil && (signed != nil || der != nil || ok) {
			t.Errorf("error %v with content", err)
		}
		if ok && !bytes.Equal(appendTo(signed, der), data) {
			t.Error("not the same when put together again")
		}
		found, err := imasig.Find(path, data)
		if err != nil {
			return
		}
		if verified, err := keys.Open(found, now); err == nil && !bytes.Equal(verified.Content, content) {
			t.Errorf("verified %q", verified.Content)
		}
	})
}
