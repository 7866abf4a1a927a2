package signkey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/signkey"
)

// openssl runs openssl with arguments separated by spaces.
func openssl(t testing.TB, dir, format string, args ...any) {
	t.Helper()
	hosttest.Run(t, dir, "openssl", strings.Fields(fmt.Sprintf(format, args...))...)
}

// rsaKey and ecKey are made once for all tests: PEM, PKCS#8, not encrypted.
var rsaKey = sync.OnceValue(func() []byte { return generate("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048") })

var ecKey = sync.OnceValue(func() []byte { return generate("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256") })

func generate(args ...string) []byte {
	out, err := exec.Command("openssl", args...).Output()
	if err != nil {
		panic(err)
	}
	return out
}

// keyDir returns a folder with rsa.pem and ec.pem.
func keyDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rsa.pem"), rsaKey())
	write(t, filepath.Join(dir, "ec.pem"), ecKey())
	return dir
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, path string, password signkey.Password) *signkey.Key {
	t.Helper()
	key, err := signkey.Load(path, password)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var digest = sha256.Sum256([]byte("a list"))

// TestFormats loads the same key in every format that openssl writes, with the right
// password and with others.
func TestFormats(t *testing.T) {
	dir := keyDir(t)
	const out = " -out key.pem -passout pass:secret"
	for name, c := range map[string]struct {
		from, cmd, header string
		encrypted         bool
	}{
		"rsa pkcs8":                {"rsa", "pkey -in rsa.pem -out key.pem", "BEGIN PRIVATE KEY", false},
		"rsa pkcs1":                {"rsa", "rsa -traditional -in rsa.pem -out key.pem", "BEGIN RSA PRIVATE KEY", false},
		"ec pkcs8":                 {"ec", "pkey -in ec.pem -out key.pem", "BEGIN PRIVATE KEY", false},
		"ec sec1":                  {"ec", "ec -in ec.pem -out key.pem", "BEGIN EC PRIVATE KEY", false},
		"rsa pkcs1 aes256":         {"rsa", "rsa -traditional -aes256 -in rsa.pem" + out, "DEK-Info: AES-256-CBC", true},
		"rsa pkcs1 aes128":         {"rsa", "rsa -traditional -aes128 -in rsa.pem" + out, "DEK-Info: AES-128-CBC", true},
		"rsa pkcs1 des3":           {"rsa", "rsa -traditional -des3 -in rsa.pem" + out, "DEK-Info: DES-EDE3-CBC", true},
		"ec sec1 aes192":           {"ec", "ec -aes192 -in ec.pem" + out, "DEK-Info: AES-192-CBC", true},
		"rsa pkcs8 default":        {"rsa", "pkcs8 -topk8 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"ec pkcs8 default":         {"ec", "pkcs8 -topk8 -in ec.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"rsa pkcs8 aes128 sha1":    {"rsa", "pkcs8 -topk8 -v2 aes128 -v2prf hmacWithSHA1 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"rsa pkcs8 aes192 sha224":  {"rsa", "pkcs8 -topk8 -v2 aes192 -v2prf hmacWithSHA224 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"rsa pkcs8 aes256 sha384":  {"rsa", "pkcs8 -topk8 -v2 aes256 -v2prf hmacWithSHA384 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"rsa pkcs8 aes256 sha512":  {"rsa", "pkcs8 -topk8 -v2 aes256 -v2prf hmacWithSHA512 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"rsa pkcs8 des3":           {"rsa", "pkcs8 -topk8 -v2 des3 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"ec pkcs8 scrypt":          {"ec", "pkcs8 -topk8 -scrypt -in ec.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"rsa pkcs8 100000 rounds":  {"rsa", "pkcs8 -topk8 -iter 100000 -in rsa.pem" + out, "BEGIN ENCRYPTED PRIVATE KEY", true},
		"ec with curve parameters": {"ec", "ecparam -genkey -name prime256v1 -out key.pem", "BEGIN EC PARAMETERS", false},
	} {
		t.Run(name, func(t *testing.T) {
			openssl(t, dir, "%s", c.cmd)
			path := filepath.Join(dir, "key.pem")
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), c.header) {
				t.Fatalf("openssl did not write %s: %v\n%s", c.header, err, text)
			}
			if c.header == "BEGIN EC PARAMETERS" {
				load(t, path, nil)
				return
			}

			want := load(t, filepath.Join(dir, c.from+".pem"), nil).KeyID()
			if got := load(t, path, signkey.Literal("secret")).KeyID(); got != want {
				t.Errorf("key %s, want %s", got, want)
			}
			if !c.encrypted {
				if got := load(t, path, nil).KeyID(); got != want {
					t.Errorf("without a password: key %s, want %s", got, want)
				}
				return
			}
			if key, err := signkey.Load(path, nil); !errors.Is(err, signkey.ErrNeedPassword) || key != nil {
				t.Errorf("no password: %v, %v", key, err)
			}
			for _, wrong := range []string{"", "Secret", "secret ", strings.Repeat("x", 300)} {
				key, err := signkey.Load(path, signkey.Literal(wrong))
				if !errors.Is(err, signkey.ErrWrongPassword) || key != nil || !strings.Contains(err.Error(), path) {
					t.Errorf("password %q: %v, %v", wrong, key, err)
				}
			}
		})
	}
}

// TestManyWrongPasswords is about the one in 256 whose padding is right by chance.
func TestManyWrongPasswords(t *testing.T) {
	dir := keyDir(t)
	openssl(t, dir, "ec -aes128 -in ec.pem -out sec1.pem -passout pass:secret")
	openssl(t, dir, "pkcs8 -topk8 -iter 1 -in ec.pem -out pkcs8.pem -passout pass:secret")
	for _, name := range []string{"sec1.pem", "pkcs8.pem"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			if key, err := signkey.Parse(data, name, signkey.Literal(fmt.Sprint(i))); !errors.Is(err, signkey.ErrWrongPassword) || key != nil {
				t.Fatalf("%s: password %d: %v, %v", name, i, key, err)
			}
		}
	}
}

// TestNotKeys checks that the message says what a file is instead of a key.
func TestNotKeys(t *testing.T) {
	dir := keyDir(t)
	openssl(t, dir, "req -x509 -key rsa.pem -subj /CN=x -out cert.pem")
	openssl(t, dir, "x509 -in cert.pem -outform DER -out cert.der")
	openssl(t, dir, "pkey -in rsa.pem -pubout -out pub.pem")
	openssl(t, dir, "pkey -in rsa.pem -pubout -outform DER -out pub.der")
	openssl(t, dir, "rsa -in rsa.pem -RSAPublicKey_out -out pkcs1pub.pem")
	openssl(t, dir, "genpkey -algorithm ed25519 -out ed25519.pem")
	openssl(t, dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-224 -out p224.pem")
	openssl(t, dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k256.pem")
	openssl(t, dir, "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024 -out pss.pem")
	openssl(t, dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:512 -out rsa512.pem")
	openssl(t, dir, "pkcs8 -topk8 -v1 PBE-SHA1-3DES -in rsa.pem -out pbes1.pem -passout pass:secret")
	hosttest.Run(t, dir, "ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "ssh")
	write(t, filepath.Join(dir, "empty"), nil)
	write(t, filepath.Join(dir, "text"), []byte("hello\n"))
	write(t, filepath.Join(dir, "cut"), rsaKey()[:500])
	write(t, filepath.Join(dir, "damaged"), bytes.Replace(rsaKey(), []byte("\nMII"), []byte("\nMIJ"), 1))
	write(t, filepath.Join(dir, "large"), make([]byte, 2<<20))

	for name, c := range map[string]struct {
		want error
		text string
	}{
		"cert.pem":     {signkey.ErrNotPrivateKey, "it holds a certificate"},
		"cert.der":     {signkey.ErrNotPrivateKey, "it holds a certificate in DER"},
		"pub.pem":      {signkey.ErrNotPrivateKey, "it holds a public key"},
		"pub.der":      {signkey.ErrNotPrivateKey, "it holds a public key in DER"},
		"pkcs1pub.pem": {signkey.ErrNotPrivateKey, "it holds a public key"},
		"empty":        {signkey.ErrNotPrivateKey, "empty file"},
		"text":         {signkey.ErrNotPrivateKey, "no PEM block"},
		"cut":          {signkey.ErrNotPrivateKey, "damaged PEM block"},
		"damaged":      {signkey.ErrNotPrivateKey, "damaged PRIVATE KEY"},
		"ed25519.pem":  {signkey.ErrUnsupportedKey, "ed25519.PrivateKey, want RSA or EC"},
		"p224.pem":     {signkey.ErrUnsupportedKey, "EC curve P-224, want P-256, P-384 or P-521"},
		"rsa512.pem":   {signkey.ErrUnsupportedKey, "512 bits"},
		"pbes1.pem":    {signkey.ErrUnsupportedKey, "want PBES2"},
		"ssh":          {signkey.ErrUnsupportedKey, "OPENSSH PRIVATE KEY"},
		"k256.pem":     {signkey.ErrNotPrivateKey, "unknown elliptic curve"},
		"pss.pem":      {signkey.ErrNotPrivateKey, "PKCS#8"},
		"large":        {nil, "too large for a key"},
		"missing":      {os.ErrNotExist, "missing"},
		".":            {nil, "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			key, err := signkey.Load(filepath.Join(dir, name), func() ([]byte, error) { asked = true; return nil, nil })
			if key != nil || err == nil || (c.want != nil && !errors.Is(err, c.want)) {
				t.Fatalf("%v, %v, want %v", key, err, c.want)
			}
			if !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, want %q and the path", err, c.text)
			}
			if asked {
				t.Error("asked for a password")
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	dir := keyDir(t)
	write(t, filepath.Join(dir, "ext.cnf"), []byte("[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\nsubjectKeyIdentifier=0102030405060708\n"))
	for _, name := range []string{"rsa", "ec"} {
		openssl(t, dir, "req -x509 -key %s.pem -config ext.cnf -subj /CN=x -out %s.crt", name, name)
		openssl(t, dir, "x509 -in %s.crt -outform DER -out %s.der", name, name)
	}
	for _, name := range []string{"rsa", "ec"} {
		key := load(t, filepath.Join(dir, name+".pem"), nil)
		for _, ext := range []string{".crt", ".der"} {
			cert, err := signkey.LoadCertificate(filepath.Join(dir, name+ext))
			if err != nil {
				t.Fatal(err)
			}
			if err := key.UseCertificate(cert); err != nil {
				t.Fatal(err)
			}
			if key.KeyID() != (imasig.KeyID{5, 6, 7, 8}) {
				t.Errorf("%s: id %s is not the certificate's", name+ext, key.KeyID())
			}
		}
	}

	key := load(t, filepath.Join(dir, "rsa.pem"), nil)
	before := key.KeyID()
	other, err := signkey.LoadCertificate(filepath.Join(dir, "ec.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := key.UseCertificate(other); !errors.Is(err, signkey.ErrKeyMismatch) || key.KeyID() != before {
		t.Errorf("certificate of another key: %v, id %s", err, key.KeyID())
	}

	hosttest.Run(t, dir, "sh", "-c", "cat rsa.crt ec.crt > both.crt")
	for name, text := range map[string]string{"both.crt": "2 certificates, want one", "rsa.pem": `PEM block "PRIVATE KEY"`, "ext.cnf": "not an X.509 certificate"} {
		if cert, err := signkey.LoadCertificate(filepath.Join(dir, name)); err == nil || cert != nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %q", name, err, text)
		}
	}
}

// TestCostlyKeys refuses keys that ask for absurd work, before any of it is done.
func TestCostlyKeys(t *testing.T) {
	dir := keyDir(t)
	openssl(t, dir, "pkcs8 -topk8 -outform DER -iter 100000 -in ec.pem -out iterations -passout pass:x")
	openssl(t, dir, "pkcs8 -topk8 -outform DER -scrypt -in ec.pem -out scrypt -passout pass:x")
	for name, c := range map[string]struct{ old, changed, text string }{
		"iterations": {"\x02\x03\x01\x86\xa0", "\x02\x03\x7f\xff\xff", "8388607 iterations"},
		"scrypt":     {"\x02\x01\x08\x02\x01\x01", "\x02\x01\x08\x02\x01\x7f", "parallelization 127"},
	} {
		t.Run(name, func(t *testing.T) {
			der, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || bytes.Count(der, []byte(c.old)) != 1 {
				t.Fatalf("%v, or the parameters are not where they should be", err)
			}
			der = bytes.Replace(der, []byte(c.old), []byte(c.changed), 1)
			data := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
			key, err := signkey.Parse(data, name, signkey.Literal("x"))
			if !errors.Is(err, signkey.ErrUnsupportedKey) || !strings.Contains(err.Error(), c.text) || key != nil {
				t.Errorf("%v, %v", key, err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	dir := keyDir(f)
	openssl(f, dir, "ec -aes128 -in ec.pem -out legacy.pem -passout pass:secret")
	openssl(f, dir, "pkcs8 -topk8 -iter 1 -in ec.pem -out pbkdf2.pem -passout pass:secret")
	openssl(f, dir, "pkcs8 -topk8 -scrypt -scrypt_N 2 -in ec.pem -out scrypt.pem -passout pass:secret")
	openssl(f, dir, "ec -in ec.pem -out sec1.pem")
	for _, name := range []string{"rsa", "ec", "legacy", "pbkdf2", "scrypt", "sec1"} {
		data, err := os.ReadFile(filepath.Join(dir, name+".pem"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := signkey.Parse(data, "fuzz", signkey.Literal("secret"))
		if err != nil {
			if key != nil {
				t.Errorf("error %v with a key", err)
			}
			return
		}
		sig, err := key.Sign(digest[:], compact.SHA256)
		if err != nil {
			return // a damaged key may be well-formed
		}
		if err := key.Public().VerifyDigest(compact.SHA256, digest[:], sig); err != nil {
			t.Error(err)
		}
	})
}
