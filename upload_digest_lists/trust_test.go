package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
)

// A key that the kernel has taken from a key list signs lists as well as that of the
// certificate at boot does, but not where certificates were named.
func TestKeysOfKeyLists(t *testing.T) {
	dir := t.TempDir()
	list, err := os.ReadFile("../test/inputs/mix/1-file_list-compact-one")
	if err != nil {
		t.Fatal(err)
	}
	name := "0-file_list-compact-one"
	if err := os.WriteFile(filepath.Join(dir, name), list, 0o644); err != nil {
		t.Fatal(err)
	}
	keys, err := filepath.Abs("../test/inputs/keys")
	if err != nil {
		t.Fatal(err)
	}
	hosttest.Run(t, dir, "evmctl", "ima_sign", "--sigfile", "--hashalgo", "sha256", "--key", keys+"/other.pem", "--keyid-from-cert", keys+"/x509_other.der", name)
	parsed, ok := listdir.ParseName(name)
	if !ok {
		t.Fatal(name)
	}
	l := listdir.List{Name: parsed, File: name}
	certificate, err := os.ReadFile(keys + "/x509_other.der")
	if err != nil {
		t.Fatal(err)
	}
	for _, named := range []bool{false, true} {
		trusted := &trust{all: named}
		if err := trusted.add(keys + "/x509_golden.der"); err != nil {
			t.Fatal(err)
		}
		var unknown *imasig.UnknownKeyError
		if err := trusted.check(dir, l, list); !errors.As(err, &unknown) {
			t.Errorf("before: %v", err)
		}
		if err := trusted.learn(certificate, "0-key_list-other.der"); err != nil {
			t.Fatal(err)
		}
		if err := trusted.check(dir, l, list); errors.As(err, &unknown) != named {
			t.Errorf("named %v: %v", named, err)
		}
	}
}
