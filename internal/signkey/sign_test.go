package signkey_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/signkey"
)

var _ imasig.Signer = (*signkey.Key)(nil)

// TestEvmctl signs and verifies both ways with the tool that the kernel's
// documentation names, in every hash algorithm that it and openssl know.
func TestEvmctl(t *testing.T) {
	dir := keyDir(t)
	list := filepath.Join(dir, "list")
	content := bytes.Repeat([]byte("a digest list\n"), 100)
	write(t, list, content)
	hosttest.Run(t, dir, "openssl", "pkey", "-in", "rsa.pem", "-traditional", "-out", "rsa1.pem")
	for _, name := range []string{"rsa1", "ec"} {
		openssl(t, dir, "req -x509 -key %s.pem -subj /CN=x -outform DER -out %s.der", name, name)
		key := load(t, filepath.Join(dir, name+".pem"), nil)
		keys := new(imasig.Keyring)
		cert, err := signkey.LoadCertificate(filepath.Join(dir, name+".der"))
		if err != nil {
			t.Fatal(err)
		}
		keys.AddKey(cert)

		for _, alg := range []string{"md5", "sha1", "rmd160", "sha224", "sha256", "sha384", "sha512"} {
			t.Run(name+" "+alg, func(t *testing.T) {
				alg, err := compact.ParseAlgorithm(alg)
				if err != nil {
					t.Fatal(err)
				}
				ours, err := imasig.Sign(content, alg, key)
				if err != nil {
					t.Fatal(err)
				}
				hosttest.Run(t, dir, "evmctl", "ima_sign", "-a", alg.String(), "-k", name+".pem", "--sigfile", "--xattr-user", "list")
				value, err := os.ReadFile(list + ".sig")
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := imasig.Parse(value)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := keys.Verify(content, theirs, time.Now()); err != nil {
					t.Errorf("evmctl's signature: %v", err)
				}
				if name == "rsa1" && !bytes.Equal(ours.Marshal(), value) {
					t.Errorf("signature\n%x, evmctl's\n%x", ours.Marshal(), value)
				}
				write(t, list+".sig", ours.Marshal())
				out := hosttest.Run(t, dir, "evmctl", "ima_verify", "-k", name+".der", "--sigfile", "--xattr-user", "list")
				if !strings.Contains(string(out), "verification is OK") {
					t.Errorf("evmctl ima_verify: %s", out)
				}
			})
		}
	}
}

// TestOpenSSLDigest has openssl verify what we sign, in the algorithms that evmctl has not.
func TestOpenSSLDigest(t *testing.T) {
	dir := keyDir(t)
	content := []byte("a digest list\n")
	write(t, filepath.Join(dir, "list"), content)
	for _, curve := range []string{"P-384", "P-521"} {
		openssl(t, dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:%s -out %s.pem", curve, curve)
	}
	openssl(t, dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa1024.pem")
	openssl(t, dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa3072.pem")
	for _, name := range []string{"rsa", "ec", "P-384", "P-521", "rsa1024", "rsa3072"} {
		openssl(t, dir, "pkey -in %s.pem -pubout -out %s.pub", name, name)
		key := load(t, filepath.Join(dir, name+".pem"), nil)
		for _, alg := range []compact.Algorithm{compact.SHA1, compact.SHA256, compact.SHA512, compact.SHA3_256, compact.SHA3_384, compact.SHA3_512} {
			t.Run(fmt.Sprint(name, " ", alg), func(t *testing.T) {
				sig, err := imasig.Sign(content, alg, key)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, "sig"), sig.Sig)
				openssl(t, dir, "dgst -%s -verify %s.pub -signature sig list", alg, name)

				openssl(t, dir, "dgst -%s -sign %s.pem -out sig list", alg, name)
				theirs, err := os.ReadFile(filepath.Join(dir, "sig"))
				if err != nil {
					t.Fatal(err)
				}
				sum, err := hashes.Sum(alg, content)
				if err != nil {
					t.Fatal(err)
				}
				if err := key.Public().VerifyDigest(alg, sum, theirs); err != nil {
					t.Errorf("openssl's signature: %v", err)
				}
			})
		}
	}
}

// TestDeterministic is what makes a list signed twice the same file twice.
func TestDeterministic(t *testing.T) {
	dir := keyDir(t)
	for _, name := range []string{"rsa.pem", "ec.pem"} {
		for _, alg := range []compact.Algorithm{compact.MD5, compact.RMD160, compact.SHA256, compact.SM3, compact.SHA3_512} {
			first, second := load(t, filepath.Join(dir, name), nil), load(t, filepath.Join(dir, name), nil)
			a, err := imasig.Sign([]byte("x"), alg, first)
			if err != nil {
				t.Fatalf("%s %s: %v", name, alg, err)
			}
			b, err := imasig.Sign([]byte("x"), alg, second)
			if err != nil || !bytes.Equal(a.Sig, b.Sig) {
				t.Errorf("%s %s: %x and %x, %v", name, alg, a.Sig, b.Sig, err)
			}
		}
	}
}

// TestRFC6979 is the example of appendix A.2.5 for P-256 with SHA-256 and "sample".
func TestRFC6979(t *testing.T) {
	dir := t.TempDir()
	const private = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
	const public = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
	der, err := hex.DecodeString("30770201010420" + private + "A00A06082A8648CE3D030107A144034200" + public)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "key.der"), der)
	openssl(t, dir, "ec -inform DER -in key.der -out key.pem")
	sig, err := imasig.Sign([]byte("sample"), compact.SHA256, load(t, filepath.Join(dir, "key.pem"), nil))
	if err != nil {
		t.Fatal(err)
	}
	const r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	const s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
	if want := "3046022100" + r + "022100" + s; hex.EncodeToString(sig.Sig) != want {
		t.Errorf("%x, want %s", sig.Sig, want)
	}
}

func TestCannotSign(t *testing.T) {
	dir := keyDir(t)
	for _, name := range []string{"rsa.pem", "ec.pem"} {
		key := load(t, filepath.Join(dir, name), nil)
		if sig, err := key.Sign(make([]byte, 31), compact.SHA256); err == nil || sig != nil {
			t.Errorf("%s: short digest: %x, %v", name, sig, err)
		}
		if sig, err := imasig.Sign(nil, compact.WP256, key); !errors.Is(err, compact.ErrUnsupportedAlgorithm) || sig.Sig != nil {
			t.Errorf("%s: whirlpool: %v, %v", name, sig, err)
		}
	}
	key := load(t, filepath.Join(dir, "rsa.pem"), nil)
	if sig, err := key.Sign(make([]byte, 32), compact.WP256); !errors.Is(err, compact.ErrUnsupportedAlgorithm) || sig != nil {
		t.Errorf("a whirlpool digest: %x, %v", sig, err)
	}
}

func BenchmarkSignRSA2048(b *testing.B) {
	key := load(b, filepath.Join(keyDir(b), "rsa.pem"), nil)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := key.Sign(digest[:], compact.SHA256); err != nil {
				b.Error(err)
			}
		}
	})
}
