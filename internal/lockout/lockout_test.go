package lockout_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/imapolicy"
	"digestlists/internal/imasig"
	"digestlists/internal/known"
	"digestlists/internal/lockout"
	"digestlists/internal/xattr"
	"digestlists/parsers"
)

func policy(t *testing.T, text string) *imapolicy.Policy {
	t.Helper()
	p, err := imapolicy.Parse([]byte(text), &imapolicy.Kernel{Version: imapolicy.Version{Major: 6, Minor: 6}, DigestLists: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A proc made up of a program and its library, a thread of the kernel, and processes
// that are another user's, or in a container. A boot test looks at a real one.
func TestRunning(t *testing.T) {
	dir := t.TempDir()
	program, library := dir+"/my program", dir+"/library.so"
	proc := map[string]string{
		"self/ns/mnt -> ": "mnt:[1]",
		"self/mountinfo":  "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
		"1/ns/mnt -> ":    "mnt:[1]",
		"1/exe -> ":       program,
		"1/maps":          maps("r-xp", program) + maps("r--p", dir+"/data") + maps("r-xp", library) + maps("r-xp", dir+"/gone (deleted)") + maps("r-xp", dir+"/never") + "7f00-7f01 r-xp 0 00:00 0 [vdso]\n",
		"2/ns/mnt -> ":    "mnt:[1]", // a thread of the kernel
		"3/ns/mnt -> ":    "mnt:[2]", // in a container
		"3/exe -> ":       dir + "/elsewhere",
		"3/maps":          maps("r-xp", dir+"/elsewhere"),
		"4/ns/mnt -> ":    "mnt:[1]", // of another user
		"4/exe -> ":       dir + "/elsewhere",
		"4/maps":          maps("r-xp", dir+"/elsewhere"),
		"irq/ns/mnt -> ":  "mnt:[1]",
		"../my program":   "",
		"../library.so":   "",
		"../elsewhere":    "",
		"../data":         "",
	}
	for name, content := range proc {
		name, link := strings.CutSuffix(name, " -> ")
		path := filepath.Join(dir, "proc", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write := func() error { return os.WriteFile(path, []byte(content), 0o644) }
		if link {
			write = func() error { return os.Symlink(content, path) }
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir+"/proc/4", 1000, 1000); err != nil {
		t.Fatal(err)
	}
	files, err := lockout.Running(dir + "/proc")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range files {
		got += fmt.Sprintln(f.Path, f.Program)
	}
	if want := fmt.Sprintf("%s false\n%s true\n", library, program); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func maps(permissions, path string) string {
	return "55d0c0000000-55d0c0001000 " + permissions + " 00000000 08:01 1234                       " + path + "\n"
}

const (
	signed = "appraise func=BPRM_CHECK appraise_type=imasig\n"
	hashed = "measure\nappraise fowner=0\n"
)

func TestCheck(t *testing.T) {
	content := []byte("program")
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	digest := imasig.MarshalDigest(compact.SHA256, sum[:])
	signature, keys := sign(t, path)
	list := func(m compact.Modifiers) known.Set {
		set := make(known.Set)
		err := set.Add(func(yield func(*parsers.Entry, error) bool) {
			yield(&parsers.Entry{Type: compact.TypeFile, Algorithm: compact.SHA256, Digest: sum[:], Modifiers: m}, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	tests := []struct {
		name, policy string
		value        []byte // security.ima
		keys         *imasig.Keyring
		known        known.Set
		refused      string
	}{
		{"not appraised", "measure\nappraise uid=1000\n", nil, nil, nil, ""},
		{"nothing", signed, nil, nil, nil, "it has no security.ima (line 1: " + signed[:len(signed)-1] + ")"},
		{"nothing, digest wanted", hashed, nil, nil, nil, "it has no security.ima (line 2: appraise fowner=0)"},
		{"digest", hashed, digest, nil, nil, ""},
		{"other digest", hashed, append(digest[:len(digest)-1:len(digest)-1], ^digest[len(digest)-1]), nil, nil, "its security.ima has another digest"},
		{"digest, signature wanted", signed, digest, nil, nil, "it has no signature, only a digest"},
		{"signature", signed, signature, keys, nil, ""},
		{"signature without certificate", signed, signature, nil, nil, "no certificate was given"},
		{"signature by another", signed, signature, new(imasig.Keyring), nil, "unknown key"},
		{"bad signature", signed, append(signature[:len(signature)-1:len(signature)-1], ^signature[len(signature)-1]), keys, nil, "bad signature"},
		{"garbage", signed, []byte{9}, keys, nil, "malformed"},
		{"listed", hashed, nil, nil, list(0), ""},
		{"listed, signature wanted", signed, nil, nil, list(0), "it has no security.ima"},
		{"listed as immutable", signed, nil, nil, list(compact.Immutable), ""},
		{"verity", "appraise func=BPRM_CHECK digest_type=verity appraise_type=sigv3\n", signature, keys, nil, "fs-verity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := xattr.Remove(path, imasig.AttributeName); err != nil && !errors.Is(err, xattr.ErrAbsent) {
				t.Fatal(err)
			}
			if tt.value != nil {
				if err := xattr.Set(path, imasig.AttributeName, tt.value); err != nil {
					t.Fatal(err)
				}
			}
			trust := &lockout.Trust{Keys: tt.keys, Known: tt.known, Algorithm: compact.SHA256, Now: time.Now()}
			refused := lockout.Check(policy(t, tt.policy), []lockout.File{{Path: path, Program: true}}, trust)
			if tt.refused == "" {
				if len(refused) != 0 {
					t.Errorf("refused: %v", refused)
				}
				return
			}
			if len(refused) != 1 || !strings.Contains(refused[0].String(), tt.refused) {
				t.Errorf("%v, want %q", refused, tt.refused)
			}
		})
	}
}

// sign makes a key, and a signature with evmctl.
func sign(t *testing.T, path string) ([]byte, *imasig.Keyring) {
	t.Helper()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", dir + "/key", "-out", dir + "/cert", "-subj", "/CN=x", "-days", "9"},
		{"evmctl", "ima_sign", "-a", "sha256", "-k", dir + "/key", path},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	value, err := xattr.Get(path, imasig.AttributeName)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := os.ReadFile(dir + "/cert")
	if err != nil {
		t.Fatal(err)
	}
	keys := new(imasig.Keyring)
	if err := keys.AddCertificate(cert, "cert"); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(value), keys
}
