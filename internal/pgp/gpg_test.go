package pgp_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/pgp"
	"digestlists/parsers/rpmlist"
)

// A gnupg is a home of gpg with keys in it.
type gnupg struct {
	t   *testing.T
	dir string
}

func newGnupg(t *testing.T) gnupg {
	t.Helper()
	// Not t.TempDir: the path of the agent's socket must be short.
	dir, err := os.MkdirTemp("", "gnupg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", dir, "--kill", "all").Run()
		os.RemoveAll(dir)
	})
	return gnupg{t, dir}
}

func (g gnupg) run(args ...string) string {
	g.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", g.dir, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("gpg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (g gnupg) path(name string) string { return filepath.Join(g.dir, name) }

// sign returns a detached signature over content.
func (g gnupg) sign(content string, args ...string) []byte {
	g.t.Helper()
	if err := os.WriteFile(g.path("content"), []byte(content), 0o644); err != nil {
		g.t.Fatal(err)
	}
	g.run(append(args, "--output", g.path("content.sig"), "--detach-sign", g.path("content"))...)
	return hosttest.Read(g.t, g.path("content.sig"))
}

func (g gnupg) export() []byte {
	g.t.Helper()
	g.run("--output", g.path("keys.asc"), "--armor", "--export")
	return hosttest.Read(g.t, g.path("keys.asc"))
}

// TestGnupg verifies gpg's signatures of every algorithm that rpm signs with.
func TestGnupg(t *testing.T) {
	for _, algorithm := range []string{"rsa1024", "dsa1024", "nistp256", "nistp384", "nistp521", "ed25519"} {
		t.Run(algorithm, func(t *testing.T) {
			g := newGnupg(t)
			g.run("--quick-gen-key", "Test <test@example>", algorithm, "sign", "never")
			keys := keyring(t, g.export())
			for _, hash := range []string{"SHA1", "SHA256", "SHA512"} {
				if strings.HasPrefix(algorithm, "nistp") && hash == "SHA1" || algorithm == "nistp521" && hash == "SHA256" || algorithm == "nistp384" && hash == "SHA256" {
					continue // gpg refuses a digest shorter than the group
				}
				signature := g.sign("content", "--digest-algo", hash)
				if key, err := keys.Verify([]byte("content"), signature, time.Now()); err != nil || key.Owner != "Test <test@example>" {
					t.Errorf("%s: %v", hash, err)
				}
				if key, err := keys.Verify([]byte("Content"), signature, time.Now()); !errors.Is(err, imasig.ErrBadSignature) || key != nil {
					t.Errorf("%s, other content: %v, %v", hash, key, err)
				}
				for _, i := range []int{len(signature) - 1, len(signature) - 20, len(signature) - 40} {
					signature[i] ^= 1
					if key, err := keys.Verify([]byte("content"), signature, time.Now()); err == nil || key != nil {
						t.Errorf("%s: byte %d changed: %v", hash, i, key)
					}
					signature[i] ^= 1
				}
			}
		})
	}
}

// TestGnupgSubkey: a subkey signs, until it or its primary key expires or is revoked.
func TestGnupgSubkey(t *testing.T) {
	g := newGnupg(t)
	g.run("--quick-gen-key", "Test", "ed25519", "cert", "20d")
	out := g.run("--with-colons", "--fingerprint")
	_, after, _ := strings.Cut(out, "fpr:::::::::")
	fingerprint, _, _ := strings.Cut(after, ":")
	g.run("--quick-add-key", fingerprint, "rsa1024", "sign", "10d")
	signature := g.sign("content")
	verify := func(keys []byte, at time.Time) error {
		key, err := keyring(t, keys).Verify([]byte("content"), signature, at)
		if (err == nil) != (key != nil) {
			t.Errorf("%v, %v", key, err)
		}
		return err
	}
	day := func(n int) time.Time { return time.Now().AddDate(0, 0, n) }

	short := g.export()
	for n, want := range map[int]error{-1: imasig.ErrNotYetValid, 1: nil, 9: nil, 11: imasig.ErrExpiredKey, 30: imasig.ErrExpiredKey} {
		if err := verify(short, day(n)); !errors.Is(err, want) {
			t.Errorf("day %d: %v, want %v", n, err, want)
		}
	}
	g.run("--quick-set-expire", fingerprint, "0", "*")
	long := g.export()
	for n, want := range map[int]error{11: nil, 19: nil, 21: imasig.ErrExpiredKey} {
		if err := verify(long, day(n)); !errors.Is(err, want) {
			t.Errorf("subkey without an end, day %d: %v, want %v", n, err, want)
		}
	}

	revocation := hosttest.Read(t, filepath.Join(g.dir, "openpgp-revocs.d", fingerprint+".rev"))
	if err := os.WriteFile(g.path("revoke"), []byte(strings.Replace(string(revocation), ":-----BEGIN", "-----BEGIN", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.run("--import", g.path("revoke"))
	if err := verify(g.export(), day(1)); !errors.Is(err, imasig.ErrRevokedKey) || !errors.Is(err, imasig.ErrExpiredKey) {
		t.Errorf("revoked: %v", err)
	}
}

// TestGnupgSignatures: signatures that are not meant to sign a list, or not for ever.
func TestGnupgSignatures(t *testing.T) {
	g := newGnupg(t)
	g.run("--quick-gen-key", "Test", "rsa1024", "sign", "never")
	keys := keyring(t, g.export())
	for name, c := range map[string]struct {
		args []string
		at   time.Time
		want error
	}{
		"text document":     {[]string{"--textmode"}, time.Now(), imasig.ErrUnsupported},
		"expires":           {[]string{"--default-sig-expire", "5d"}, time.Now(), nil},
		"expired":           {[]string{"--default-sig-expire", "5d"}, time.Now().AddDate(0, 0, 6), imasig.ErrExpiredKey},
		"notation":          {[]string{"--sig-notation", "a@example=b"}, time.Now(), nil},
		"critical notation": {[]string{"--sig-notation", "!a@example=b"}, time.Now(), imasig.ErrUnsupported},
		"policy":            {[]string{"--sig-policy-url", "!http://example.org/"}, time.Now(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if key, err := keys.Verify([]byte("content"), g.sign("content", c.args...), c.at); !errors.Is(err, c.want) || (err == nil) != (key != nil) {
				t.Errorf("%v, %v, want %v", key, err, c.want)
			}
		})
	}
	if _, err := pgp.ParseSignature(g.sign("content", "--armor")); !errors.Is(err, imasig.ErrMalformed) {
		t.Errorf("armoured: %v", err)
	}
}

// TestGnupgSeveral: one good signature is enough, and one bad is too many.
func TestGnupgSeveral(t *testing.T) {
	g := newGnupg(t)
	g.run("--quick-gen-key", "First", "rsa1024", "sign", "never")
	first := g.export()
	g.run("--quick-gen-key", "Second", "ed25519", "sign", "never")
	second := keyring(t, g.export())
	by := func(user, content string) string { return string(g.sign(content, "--local-user", user)) }
	const version6, key = "\xc2\x01\x06", "\x98\x01\x04"
	for name, c := range map[string]struct {
		packets string
		want    error
		owner   string
	}{
		"two good":             {by("First", "content") + by("Second", "content"), nil, "First"},
		"an unsupported first": {version6 + by("Second", "content"), nil, "Second"},
		"a bad one last":       {by("First", "content") + by("Second", "other"), imasig.ErrBadSignature, ""},
		"a bad one first":      {by("First", "other") + by("Second", "content"), imasig.ErrBadSignature, ""},
		"only unsupported":     {version6 + version6, imasig.ErrUnsupported, ""},
		"another packet":       {by("First", "content") + key, imasig.ErrMalformed, ""},
	} {
		key, err := second.Verify([]byte("content"), []byte(c.packets), time.Now())
		if !errors.Is(err, c.want) || (key == nil) != (err != nil) || key != nil && key.Owner != c.owner {
			t.Errorf("%s: %v, %v, want %v", name, key, err, c.want)
		}
	}
	// A key that is not known does not spoil the one that is.
	both := by("Second", "content") + by("First", "content")
	if key, err := keyring(t, first).Verify([]byte("content"), []byte(both), time.Now()); err != nil || key.Owner != "First" {
		t.Errorf("one key of two: %v, %v", key, err)
	}
}

// TestGnupgPacket: of a list in its on-disk form, the packet that the vendor made can be had
// back, byte for byte.
func TestGnupgPacket(t *testing.T) {
	g := newGnupg(t)
	g.run("--quick-gen-key", "Test", "rsa1024", "sign", "never")
	keys := keyring(t, g.export())
	list := testdata(t, "list")
	for range 4 { // the numbers differ in length
		packet := g.sign(string(list))
		onDisk, number, id, hash, err := rpmlist.OnDisk(list, packet)
		if err != nil {
			t.Fatal(err)
		}
		got, err := keys.Packet(list, onDisk[len(list):], imasig.Signature{Hash: hash, KeyID: id, Sig: number})
		if err != nil || string(got) != string(packet) {
			t.Errorf("%x, %v, want %x", got, err, packet)
		}
	}
}
