package evm_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/evm"
	"digestlists/internal/imasig"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// protected makes a file with all that a digest covers.
func protected(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := errors.Join(
		os.WriteFile(file, []byte("#!/bin/sh\n"), 0o644),
		os.Chown(file, 12, 345678), // before the mode, from which it takes bits
		os.Chmod(file, 0o750|os.ModeSetgid),
		xattr.Set(file, "security.selinux", evm.Label("system_u:object_r:bin_t:s0")),
		exec.Command("setcap", "cap_net_raw,cap_setuid=ep", file).Run(),
	); err != nil {
		t.Fatal(err)
	}
	return file
}

func metadata(t *testing.T, file string) evm.Metadata {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(file, &st); err != nil {
		t.Fatal(err)
	}
	m := evm.Metadata{UID: st.Uid, GID: st.Gid, Mode: uint16(st.Mode)}
	for name, value := range map[string]*[]byte{"security.selinux": &m.Label, "security.ima": &m.IMA, "security.capability": &m.Caps} {
		var err error
		if *value, err = xattr.Get(file, name); err != nil && !errors.Is(err, xattr.ErrAbsent) {
			t.Fatal(err)
		}
	}
	return m
}

// A portable signature that evmctl makes is over the same digest.
func TestDigestIsWhatEvmctlSigns(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pem")
	if out, err := exec.Command("openssl", "genrsa", "-traditional", "-out", key, "2048").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	private := readKey(t, key)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, a := range []compact.Algorithm{compact.SHA1, compact.SHA256, compact.SHA512} {
		for _, file := range []string{protected(t), plain} {
			out, err := exec.Command("evmctl", "sign", "-o", "--imahash", "-a", a.String(), "-k", key, file).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			checkSigned(t, file, a, &private.PublicKey)
		}
	}
}

func checkSigned(t *testing.T, file string, a compact.Algorithm, key *rsa.PublicKey) {
	t.Helper()
	value, err := xattr.Get(file, evm.AttributeName)
	if err != nil {
		t.Fatal(err)
	}
	attribute, err := evm.Parse(value)
	if err != nil || attribute.Kind != evm.Portable || attribute.Algorithm != a {
		t.Fatalf("%x: %+v, %v", value, attribute, err)
	}
	m := metadata(t, file)
	digest, err := m.Digest(a)
	if err != nil {
		t.Fatal(err)
	}
	hash := map[compact.Algorithm]crypto.Hash{compact.SHA1: crypto.SHA1, compact.SHA256: crypto.SHA256, compact.SHA512: crypto.SHA512}[a]
	if err := rsa.VerifyPKCS1v15(key, hash, digest, attribute.Signature.Sig); err != nil {
		t.Errorf("%s, %v: %v", file, a, err)
	}
	m.Mode ^= 1
	if digest, _ = m.Digest(a); rsa.VerifyPKCS1v15(key, hash, digest, attribute.Signature.Sig) == nil {
		t.Error("another mode has the same digest")
	}
}

func readKey(t *testing.T, file string) *rsa.PrivateKey {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParse(t *testing.T) {
	sig := imasig.Signature{Hash: compact.SHA256, Sig: []byte{1, 2, 3}}.Marshal()
	tests := []struct {
		value string
		kind  evm.Kind // 0: malformed
	}{
		{"02" + strings.Repeat("00", 20), evm.HMAC},
		{"05" + hex.EncodeToString(sig[1:]), evm.Portable},
		{"03" + hex.EncodeToString(sig[1:]), evm.Signature},
		{hex.EncodeToString(evm.ListedValue(compact.SHA256)), evm.Listed},
		{"060204", evm.Listed},
		{"", 0},
		{"02", 0},
		{"02" + strings.Repeat("00", 32), 0},
		{"0302", 0},
		{"05" + hex.EncodeToString(sig[1:]) + "00", 0},
		{"0602", 0},
		{"060304", 0},
		{"060217", 0},
		{"06020400", 0},
		{"0404" + strings.Repeat("00", 32), 0},
	}
	for _, tt := range tests {
		value, err := hex.DecodeString(tt.value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := evm.Parse(value)
		if got.Kind != tt.kind || (err != nil) != (tt.kind == 0) || err != nil && !errors.Is(err, compact.ErrMalformed) {
			t.Errorf("%s: %+v, %v", tt.value, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{6, 2, 4})
	f.Add(append([]byte{5}, imasig.Signature{Hash: compact.SHA256, Sig: []byte{1}}.Marshal()[1:]...))
	f.Fuzz(func(t *testing.T, value []byte) {
		got, err := evm.Parse(value)
		if err == nil && got.Kind == evm.Listed && !bytes.Equal(value, evm.ListedValue(got.Algorithm)) {
			t.Fatalf("%x: %+v", value, got)
		}
	})
}
