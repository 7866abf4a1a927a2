package imasig_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
)

// TestCertificatesAgree reads certificates of many shapes and compares what is
// taken from them with the standard library.
func TestCertificatesAgree(t *testing.T) {
	certificates := map[string][]byte{
		"golden": testdata(t, "x509_golden.der"),
		"4096":   testdata(t, "x509_4096.der"),
		"kernel": testdata(t, "x509_kernel.der"),
	}
	for name, args := range map[string][]string{
		"rsa1024":    {"rsa:1024"},
		"P-256":      {ec + "P-256"},
		"P-384":      {ec + "P-384"},
		"P-521":      {ec + "P-521"},
		"after 2050": {ec + "P-256", "-days", "36500"},
		"many extensions": {
			ec + "P-256", "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=codeSigning",
			"-addext", "subjectAltName=DNS:example.org,IP:::1", "-addext", "nameConstraints=permitted;DNS:example.org",
		},
		"other key id":    {ec + "P-256", "-addext", "subjectKeyIdentifier=00112233445566778899"},
		"serial":          {ec + "P-256", "-set_serial", "0xff00ff00ff00ff00ff"},
		"names in UTF-8":  {ec + "P-256", "-utf8", "-subj", "/O=Ünïcode/CN=ключ/serialNumber=1"},
		"sha512 and long": {"rsa:2048", "-sha512", "-subj", "/CN=" + strings.Repeat("x", 60)},
	} {
		certificates[name] = makePair(t, args[0], args[1:]...).cert
	}
	for name, der := range certificates {
		t.Run(name, func(t *testing.T) {
			key, err := imasig.ParseCertificate(der, name)
			if err != nil {
				t.Fatal(err)
			}
			want, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if !key.Equal(want.PublicKey) {
				t.Errorf("public key %v, want %v", key.Public(), want.PublicKey)
			}
			if id := want.SubjectKeyId; !bytes.Equal(key.ID[:], id[len(id)-4:]) {
				t.Errorf("id %s, want the end of %x", key.ID, id)
			}
			if !key.NotBefore.Equal(want.NotBefore) || !key.NotAfter.Equal(want.NotAfter) {
				t.Errorf("valid from %s to %s, want %s to %s", key.NotBefore, key.NotAfter, want.NotBefore, want.NotAfter)
			}
		})
	}
}

// TestKeyIDs compares the calculated ids with evmctl's.
func TestKeyIDs(t *testing.T) {
	for _, key := range []string{"rsa:1024", "rsa:2048", ec + "P-256", ec + "P-384"} {
		t.Run(key, func(t *testing.T) {
			p := makePair(t, key, "-config", "/dev/null", "-addext", "basicConstraints=CA:FALSE")
			write(t, filepath.Join(p.dir, "list"), []byte("x"))
			hosttest.Run(t, p.dir, "evmctl", "ima_sign", "-a", "sha256", "-k", "key.pem", "--sigfile", "--xattr-user", "list")
			want, err := imasig.Parse(hosttest.Read(t, filepath.Join(p.dir, "list.sig")))
			if err != nil {
				t.Fatal(err)
			}
			var keys imasig.Keyring
			if err := keys.AddPublicKey(hosttest.Read(t, filepath.Join(p.dir, "pub.pem")), "pub.pem"); err != nil {
				t.Fatal(err)
			}
			if got := keys.Keys()[0].ID; got != want.KeyID {
				t.Errorf("id %s, evmctl says %s", got, want.KeyID)
			}
			if _, err := keys.Verify([]byte("x"), want, now); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWithoutKeyID: a certificate that states no identifier gets the key's.
func TestWithoutKeyID(t *testing.T) {
	for _, args := range [][]string{{"-addext", "subjectKeyIdentifier=none"}, {"-x509v1"}} {
		p := makePair(t, "rsa:1024")
		if args[0] == "-x509v1" {
			hosttest.Run(t, p.dir, "openssl", "req", "-new", "-key", "key.pem", "-subj", "/CN=x", "-out", "req.pem")
			hosttest.Run(t, p.dir, "openssl", "x509", "-req", "-in", "req.pem", "-signkey", "key.pem", "-outform", "DER", "-out", "cert.der")
		} else {
			hosttest.Run(t, p.dir, "openssl", append([]string{"req", "-x509", "-key", "key.pem", "-subj", "/CN=x", "-outform", "DER", "-out", "cert.der"}, args...)...)
		}
		cert, err := x509.ParseCertificate(hosttest.Read(t, filepath.Join(p.dir, "cert.der")))
		if err != nil || cert.SubjectKeyId != nil {
			t.Fatalf("certificate has an identifier: %x, %v", cert.SubjectKeyId, err)
		}
		keys := keyring(t, cert.Raw)
		if err := keys.AddPublicKey(hosttest.Read(t, filepath.Join(p.dir, "pub.pem")), "pub.pem"); err != nil {
			t.Fatal(err)
		}
		if a, b := keys.Keys()[0].ID, keys.Keys()[1].ID; a != b {
			t.Errorf("%v: id %s, the key's is %s", args, a, b)
		}
	}
}

func TestPEM(t *testing.T) {
	a, b := makePair(t, "rsa:1024"), makePair(t, ec+"P-256")
	certA, certB := hosttest.Read(t, filepath.Join(a.dir, "cert.pem")), hosttest.Read(t, filepath.Join(b.dir, "cert.pem"))
	pub := hosttest.Read(t, filepath.Join(a.dir, "pub.pem"))
	hosttest.Run(t, a.dir, "openssl", "rsa", "-in", "key.pem", "-RSAPublicKey_out", "-out", "pkcs1.pem")
	hosttest.Run(t, a.dir, "openssl", "pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "pub.der")

	var keys imasig.Keyring
	if err := keys.AddCertificate(append(append([]byte("two of them:\n"), certA...), certB...), "both.pem"); err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{pub, hosttest.Read(t, filepath.Join(a.dir, "pkcs1.pem")), hosttest.Read(t, filepath.Join(a.dir, "pub.der"))} {
		if err := keys.AddPublicKey(data, "pub"); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range [][]byte{certA, pub, a.cert, hosttest.Read(t, filepath.Join(a.dir, "pub.der"))} {
		if err := keys.Add(data, "any"); err != nil {
			t.Fatal(err)
		}
	}
	all := keys.Keys()
	if len(all) != 9 {
		t.Fatalf("%d keys, want 9", len(all))
	}
	if all[0].Name != "both.pem" || all[1].ID == all[0].ID {
		t.Errorf("keys %v", all[:2])
	}
	for i, key := range all {
		if i != 1 && !key.Equal(all[0].Public()) {
			t.Errorf("key %d is another one", i)
		}
	}
}

func TestNotCertificates(t *testing.T) {
	p := makePair(t, "rsa:1024")
	certificate, public := hosttest.Read(t, filepath.Join(p.dir, "cert.pem")), hosttest.Read(t, filepath.Join(p.dir, "pub.pem"))
	private := hosttest.Read(t, filepath.Join(p.dir, "key.pem"))
	for _, alg := range []string{"ed25519", "rsa512", "P-224"} {
		genpkey := []string{"genpkey", "-out", alg + ".pem", "-algorithm"}
		genpkey = append(genpkey, map[string][]string{
			"ed25519": {"ed25519"}, "rsa512": {"RSA", "-pkeyopt", "rsa_keygen_bits:512"}, "P-224": {"EC", "-pkeyopt", "ec_paramgen_curve:P-224"},
		}[alg]...)
		hosttest.Run(t, p.dir, "openssl", genpkey...)
		hosttest.Run(t, p.dir, "openssl", "req", "-x509", "-key", alg+".pem", "-subj", "/CN=x", "-outform", "DER", "-out", alg+".der")
	}
	shortID := makePair(t, ec+"P-256", "-addext", "subjectKeyIdentifier=010203").cert

	for name, c := range map[string]struct {
		data []byte
		want error
		text string
	}{
		"empty":             {nil, imasig.ErrMalformed, "empty file"},
		"text":              {[]byte("hello\n"), imasig.ErrMalformed, "not an X.509 certificate"},
		"public key":        {public, imasig.ErrMalformed, `"PUBLIC KEY", want a certificate`},
		"private key":       {private, imasig.ErrMalformed, `"PRIVATE KEY", want a certificate`},
		"cut PEM":           {certificate[:300], imasig.ErrMalformed, "damaged PEM block"},
		"certificate, key":  {append(bytes.Clone(certificate), private...), imasig.ErrMalformed, "PRIVATE KEY"},
		"trailing bytes":    {append(bytes.Clone(p.cert), 0), imasig.ErrMalformed, "1 bytes after its end"},
		"two in DER":        {append(bytes.Clone(p.cert), p.cert...), imasig.ErrMalformed, "after its end"},
		"a list":            {testdata(t, "list"), imasig.ErrMalformed, "not an X.509 certificate"},
		"Ed25519":           {hosttest.Read(t, filepath.Join(p.dir, "ed25519.der")), imasig.ErrUnsupported, "1.3.101.112"},
		"RSA-512":           {hosttest.Read(t, filepath.Join(p.dir, "rsa512.der")), imasig.ErrUnsupported, "512 bits"},
		"P-224":             {hosttest.Read(t, filepath.Join(p.dir, "P-224.der")), imasig.ErrUnsupported, "1.3.132.0.33"},
		"three bytes of id": {shortID, imasig.ErrMalformed, "subject key identifier"},
	} {
		t.Run(name, func(t *testing.T) {
			var keys imasig.Keyring
			err := keys.AddCertificate(c.data, "x.der")
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.HasPrefix(err.Error(), "x.der: ") {
				t.Errorf("%v, want %v with %q", err, c.want, c.text)
			}
			if n := len(keys.Keys()); n != 0 {
				t.Errorf("%d keys were added", n)
			}
		})
	}
	for n := range p.cert {
		if key, err := imasig.ParseCertificate(p.cert[:n], ""); !errors.Is(err, imasig.ErrMalformed) || key != nil {
			t.Fatalf("certificate cut at %d: %v, %v", n, key, err)
		}
	}
}

// TestValidity checks that a good signature by a key out of its period is a result of its
// own, and that a bad one is bad whatever the period.
func TestValidity(t *testing.T) {
	keys := keyring(t, testdata(t, "x509_golden.der"))
	list := testdata(t, "list")
	sig, err := imasig.Parse(testdata(t, "rsa2048-sha256.ima"))
	if err != nil {
		t.Fatal(err)
	}
	key := keys.Lookup(sig.KeyID)[0]
	second := time.Second
	for name, c := range map[string]struct {
		now  time.Time
		want []error // all of them; none for success
	}{
		"first second":  {key.NotBefore, nil},
		"before":        {key.NotBefore.Add(-second), []error{imasig.ErrNotYetValid, imasig.ErrExpiredKey}},
		"no clock":      {time.Time{}, []error{imasig.ErrNotYetValid, imasig.ErrExpiredKey}},
		"last second":   {key.NotAfter, nil},
		"after":         {key.NotAfter.Add(second), []error{imasig.ErrExpiredKey}},
		"in other zone": {key.NotAfter.In(time.FixedZone("", 14*3600)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := keys.Verify(list, sig, c.now)
			if c.want == nil && (err != nil || got != key) {
				t.Errorf("%v, %v", got, err)
			}
			for _, want := range c.want {
				if !errors.Is(err, want) || got != nil {
					t.Errorf("%v, %v, want %v", got, err, want)
				}
			}
			if _, err := keys.Verify(list[1:], sig, c.now); !errors.Is(err, imasig.ErrBadSignature) || errors.Is(err, imasig.ErrExpiredKey) {
				t.Errorf("other content: %v", err)
			}
		})
	}
}

// TestSameID has several keys under one id: the right one is found, in any order.
func TestSameID(t *testing.T) {
	const id = "subjectKeyIdentifier=aabbccdd"
	right := makePair(t, ec+"P-256", "-addext", id)
	wrong, wrongEC := makePair(t, ec+"P-256", "-addext", id), makePair(t, ec+"P-256", "-addext", id)
	hosttest.Run(t, right.dir, "openssl", "req", "-x509", "-key", "key.pem", "-subj", "/CN=x", "-addext", id, "-days", "1000", "-outform", "DER", "-out", "long.der")
	longer := hosttest.Read(t, filepath.Join(right.dir, "long.der"))

	content := []byte("content")
	write(t, filepath.Join(right.dir, "list"), content)
	hosttest.Run(t, right.dir, "openssl", "dgst", "-sha256", "-sign", "key.pem", "-out", "sig", "list")
	sig := imasig.Signature{Hash: compact.SHA256, KeyID: imasig.KeyID{0xaa, 0xbb, 0xcc, 0xdd}, Sig: hosttest.Read(t, filepath.Join(right.dir, "sig"))}
	late := time.Now().AddDate(0, 0, 500)

	for name, c := range map[string]struct {
		keys [][]byte
		now  time.Time
		want error
	}{
		"last of three":        {[][]byte{wrong.cert, wrongEC.cert, right.cert}, time.Now(), nil},
		"first":                {[][]byte{right.cert, wrong.cert}, time.Now(), nil},
		"none":                 {[][]byte{wrongEC.cert, wrong.cert}, time.Now(), imasig.ErrBadSignature},
		"expired and wrong":    {[][]byte{right.cert, wrong.cert}, late, imasig.ErrExpiredKey},
		"wrong and expired":    {[][]byte{wrong.cert, right.cert}, late, imasig.ErrExpiredKey},
		"expired and extended": {[][]byte{right.cert, longer}, late, nil},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := keyring(t, c.keys...).Verify(content, sig, c.now)
			if !errors.Is(err, c.want) || (err == nil) != (key != nil) {
				t.Errorf("%v, %v, want %v", key, err, c.want)
			}
		})
	}
	var unknown *imasig.UnknownKeyError
	if _, err := new(imasig.Keyring).Verify(content, sig, now); !errors.As(err, &unknown) || unknown.ID != "aabbccdd" {
		t.Errorf("empty keyring: %v", err)
	}
}

// TestForgedPadding: a block that is right but for the missing DigestInfo, or with that
// of another algorithm, is not a signature.
func TestForgedPadding(t *testing.T) {
	p := makePair(t, "rsa:1024")
	keys := keyring(t, p.cert)
	key := keys.Keys()[0]
	content := []byte("content")
	write(t, filepath.Join(p.dir, "list"), content)
	for name, args := range map[string]string{
		"no DigestInfo": "openssl dgst -sha256 -binary list | openssl pkeyutl -sign -inkey key.pem -out sig",
		"other":         "openssl dgst -sha256 -binary list | openssl pkeyutl -sign -inkey key.pem -pkeyopt digest:sm3 -out sig || openssl dgst -sha512-256 -sign key.pem -out sig list",
		"PSS":           "openssl dgst -sha256 -sign key.pem -sigopt rsa_padding_mode:pss -out sig list",
	} {
		hosttest.Run(t, p.dir, "sh", "-c", args)
		sig := imasig.Signature{Hash: compact.SHA256, KeyID: key.ID, Sig: hosttest.Read(t, filepath.Join(p.dir, "sig"))}
		if _, err := keys.Verify(content, sig, time.Now()); !errors.Is(err, imasig.ErrBadSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, sig := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 128), "one": {1}, "long": make([]byte, 129)} {
		if err := key.VerifyDigest(compact.SHA256, make([]byte, 32), sig); !errors.Is(err, imasig.ErrBadSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := key.VerifyDigest(compact.SHA256, make([]byte, 20), make([]byte, 128)); !errors.Is(err, imasig.ErrMalformed) {
		t.Errorf("short digest: %v", err)
	}
	if err := key.VerifyDigest(compact.WP256, make([]byte, 32), make([]byte, 128)); !errors.Is(err, compact.ErrUnsupportedAlgorithm) {
		t.Errorf("whirlpool: %v", err)
	}
}

// TestImports holds the early-boot parser's share of this package small.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		for _, banned := range []string{"net", "crypto/x509", "crypto/tls", "os/exec", "database/sql", "golang.org/x/term"} {
			if name == banned || strings.HasPrefix(name, banned+"/") {
				t.Errorf("imports %s", name)
			}
		}
	}
}

func FuzzKeyring(f *testing.F) {
	for _, name := range []string{"x509_golden.der", "x509_4096.der", "x509_kernel.der"} {
		der := testdata(f, name)
		f.Add(der)
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	p := makePair(f, ec+"P-256")
	f.Add(p.cert)
	f.Add(hosttest.Read(f, filepath.Join(p.dir, "pub.pem")))
	f.Fuzz(func(t *testing.T, data []byte) {
		var keys imasig.Keyring
		if err := keys.Add(data, "fuzz"); err != nil && len(keys.Keys()) != 0 {
			t.Errorf("error %v with keys", err)
		}
		for _, key := range keys.Keys() {
			if key.VerifyDigest(compact.SHA256, make([]byte, 32), make([]byte, 256)) == nil {
				t.Error("a signature of zeros is good")
			}
		}
	})
}

func BenchmarkVerifyRSA2048(b *testing.B) {
	keys, list := keyring(b, testdata(b, "x509_golden.der")), testdata(b, "list")
	sig, err := imasig.Parse(testdata(b, "rsa2048-sha256.ima"))
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := keys.Verify(list, sig, now); err != nil {
				b.Error(err)
			}
		}
	})
}
