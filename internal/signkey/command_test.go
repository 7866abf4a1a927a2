package signkey_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/signkey"
)

var _ imasig.Signer = (*signkey.Command)(nil)

func certificate(t testing.TB, dir, name string) *imasig.Key {
	t.Helper()
	openssl(t, dir, "req -x509 -key %s.pem -subj /CN=x -out %s.crt", name, name)
	cert, err := signkey.LoadCertificate(filepath.Join(dir, name+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCommand(t *testing.T) {
	dir := keyDir(t)
	rsa, ec := certificate(t, dir, "rsa"), certificate(t, dir, "ec")
	for name, c := range map[string]struct {
		line, key string
		cert      *imasig.Key
	}{
		"standard input": {"openssl pkeyutl -sign -inkey rsa.pem -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pkcs1", "rsa", rsa},
		"ec":             {"openssl pkeyutl -sign -inkey ec.pem", "", ec},
		"environment":    {`perl -e 'print pack "H*", $ENV{DIGEST_HEX}' | openssl pkeyutl -sign -inkey rsa.pem -pkeyopt "digest:$DIGEST_ALGORITHM"`, "rsa", rsa},
		"key id":         {`test "$KEY_ID" = ` + rsa.ID.String() + ` && openssl pkeyutl -sign -inkey rsa.pem -pkeyopt digest:sha256`, "rsa", rsa},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := signkey.NewCommand("cd "+dir+" && "+c.line, c.cert)
			if err != nil {
				t.Fatal(err)
			}
			if signer.KeyID() != c.cert.ID {
				t.Errorf("key id %s", signer.KeyID())
			}
			sig, err := signer.Sign(digest[:], compact.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			if c.key == "" {
				return
			}
			want, err := load(t, filepath.Join(dir, c.key+".pem"), nil).Sign(digest[:], compact.SHA256)
			if err != nil || !bytes.Equal(sig, want) {
				t.Errorf("%x, want %x, %v", sig, want, err)
			}
		})
	}
}

func TestCommandFails(t *testing.T) {
	dir := keyDir(t)
	rsa := certificate(t, dir, "rsa")
	certificate(t, dir, "ec")
	const sign = "openssl pkeyutl -sign -pkeyopt digest:sha256 -inkey "
	for name, c := range map[string]struct{ line, text string }{
		"exit code":          {sign + "rsa.pem; echo no HSM here >&2; exit 3", `exit status 3; it said "no HSM here"`},
		"no output":          {"true", "wrote no signature"},
		"not found":          {"no-such-command-here", "not found"},
		"other key":          {sign + "ec.pem", "is not the signature"},
		"other digest":       {"head -c 32 /dev/zero | " + sign + "rsa.pem", "bad signature"},
		"hexadecimal":        {sign + "rsa.pem | od -An -tx1", "bad signature"},
		"trailing newline":   {sign + "rsa.pem; echo", "bad signature"},
		"without DigestInfo": {"openssl pkeyutl -sign -inkey rsa.pem", "bad signature"},
		"endless output":     {"yes", "wrote more than 65536 bytes"},
		"endless complaints": {"head -c 3000000 /dev/zero >&2; exit 1", "exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := signkey.NewCommand("cd "+dir+"; "+c.line, rsa)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := signer.Sign(digest[:], compact.SHA256)
			if !errors.Is(err, signkey.ErrCommand) || sig != nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%x, %v, want %q", sig, err, c.text)
			}
			if err != nil && len(err.Error()) > 10_000 {
				t.Errorf("message of %d bytes", len(err.Error()))
			}
		})
	}
	for _, line := range []string{"", " \t"} {
		if signer, err := signkey.NewCommand(line, rsa); !errors.Is(err, signkey.ErrCommand) || signer != nil {
			t.Errorf("command %q: %v", line, err)
		}
	}
	if signer, err := signkey.NewCommand("true", nil); !errors.Is(err, signkey.ErrCommand) || signer != nil {
		t.Errorf("without certificate: %v", err)
	}
}

// TestCommandInherits checks that the command sees our environment.
func TestCommandInherits(t *testing.T) {
	dir := keyDir(t)
	t.Setenv("SIGNER_KEY", filepath.Join(dir, "rsa.pem"))
	signer, err := signkey.NewCommand(`openssl pkeyutl -sign -pkeyopt digest:sha256 -inkey "$SIGNER_KEY"`, certificate(t, dir, "rsa"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(digest[:], compact.SHA256); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "rsa.pem")); err != nil {
		t.Error(err)
	}
}
