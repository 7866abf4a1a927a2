package imasig_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"digestlists/compact"
	"digestlists/internal/imasig"
	"digestlists/internal/xattr"
)

// TestFind removes one signature after the other: the next one is found.
func TestFind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lists")
	path := filepath.Join(dir, "0-file_list-compact-x")
	data := testdata(t, "list")
	value := testdata(t, "rsa2048-sha256.ima")
	keys := keyring(t, testdata(t, "x509_golden.der"))

	write(t, path, data)
	write(t, path+".sig", value)
	write(t, filepath.Join(dir+".sig", filepath.Base(path)), value)
	write(t, filepath.Join(dir+".sig", filepath.Base(path)+".sig"), value)
	if err := xattr.Set(path, imasig.AttributeName, value); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		place  imasig.Place
		path   string
		remove func() error
	}{
		{imasig.PlaceAttribute, path, func() error { return xattr.Remove(path, imasig.AttributeName) }},
		{imasig.PlaceBeside, path + ".sig", func() error { return os.Remove(path + ".sig") }},
		{imasig.PlaceFolder, dir + ".sig/0-file_list-compact-x", func() error { return os.Remove(dir + ".sig/0-file_list-compact-x") }},
		{imasig.PlaceFolder, dir + ".sig/0-file_list-compact-x.sig", func() error { return os.RemoveAll(dir + ".sig") }},
	} {
		found, err := imasig.Find(path, data)
		if err != nil {
			t.Fatal(err)
		}
		if found.Place != c.place || found.Path != c.path || !bytes.Equal(found.Value(), value) {
			t.Errorf("found %s at %s, want %s at %s", found.Place, found.Path, c.place, c.path)
		}
		verified, err := keys.Open(found, now)
		if err != nil || !bytes.Equal(verified.Content, data) {
			t.Errorf("%s: %v", c.place, err)
		}
		if err := c.remove(); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := imasig.Find(path, data); !errors.Is(err, imasig.ErrNoSignature) || found != nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("nothing left: %v, %v", found, err)
	}
	// What the kernel writes by itself is no signature, and does not hide one.
	if err := xattr.Set(path, imasig.AttributeName, imasig.MarshalDigest(compact.SHA1, make([]byte, 20))); err != nil {
		t.Fatal(err)
	}
	if found, err := imasig.Find(path, data); !errors.Is(err, imasig.ErrNoSignature) {
		t.Errorf("digest only: %v, %v", found, err)
	}
	write(t, path+".sig", value)
	if found, err := imasig.Find(path, data); err != nil || found.Place != imasig.PlaceBeside {
		t.Errorf("digest, and a detached signature: %v, %v", found, err)
	}
}

// TestFindRelative names the list relative to its own folder.
func TestFindRelative(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lists")
	write(t, filepath.Join(dir, "list"), []byte("x"))
	write(t, filepath.Join(dir+".sig", "list"), testdata(t, "kernel-list.ima"))
	t.Chdir(dir)
	for _, path := range []string{"list", "./list", "../lists/list"} {
		if found, err := imasig.Find(path, []byte("x")); err != nil || found.Place != imasig.PlaceFolder {
			t.Errorf("%s: %v", path, err)
		}
	}
	if names := imasig.DetachedNames("/list"); len(names) != 1 || names[0] != "/list.sig" {
		t.Errorf("in the root: %q", names)
	}
}

// TestFindErrors: what cannot be read is not taken for absent.
func TestFindErrors(t *testing.T) {
	value := testdata(t, "kernel-list.ima")
	for name, c := range map[string]struct {
		make func(sig string) error
		want error
		text string
	}{
		"link": {func(sig string) error {
			return errors.Join(os.WriteFile(sig+"x", value, 0o644), os.Symlink(sig+"x", sig))
		}, syscall.ELOOP, ""},
		"dangling link": {func(sig string) error { return os.Symlink(sig+"x", sig) }, syscall.ELOOP, ""},
		"folder":        {func(sig string) error { return os.Mkdir(sig, 0o755) }, imasig.ErrMalformed, "not a regular file"},
		"fifo":          {func(sig string) error { return syscall.Mkfifo(sig, 0o644) }, imasig.ErrMalformed, "not a regular file"},
		"too large":     {func(sig string) error { return os.WriteFile(sig, make([]byte, 65537), 0o644) }, imasig.ErrMalformed, "more than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "list")
			write(t, path, []byte("x"))
			if err := c.make(path + ".sig"); err != nil {
				t.Fatal(err)
			}
			found, err := imasig.Find(path, []byte("x"))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), path+".sig") || found != nil {
				t.Errorf("%v, %v, want %v", found, err, c.want)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if found, err := imasig.Find(missing, nil); !errors.Is(err, os.ErrNotExist) || found != nil {
		t.Errorf("missing list: %v, %v", found, err)
	}
}

// TestFindOtherFileSystem: one without attributes is known to hold none.
func TestFindOtherFileSystem(t *testing.T) {
	_, err := xattr.Get("/proc/self/limits", imasig.AttributeName)
	if !errors.Is(err, xattr.ErrUnsupported) {
		t.Fatalf("procfs has attributes: %v", err)
	}
	if found, err := imasig.Find("/proc/self/limits", []byte("x")); !errors.Is(err, imasig.ErrNoSignature) {
		t.Errorf("%v, %v", found, err)
	}
}

// TestOpenErrors: whatever is wrong, no content comes out, and the message says where.
func TestOpenErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	data := testdata(t, "list")
	write(t, path, data)
	good := testdata(t, "rsa2048-sha256.ima")
	changed := bytes.Clone(good)
	changed[200] ^= 1
	for name, c := range map[string]struct {
		value []byte
		cert  string
		want  error
	}{
		"bad":       {changed, "x509_golden.der", imasig.ErrBadSignature},
		"malformed": {good[:100], "x509_golden.der", imasig.ErrMalformed},
		"empty":     {nil, "x509_golden.der", imasig.ErrMalformed},
		"digest":    {imasig.MarshalDigest(compact.SHA1, make([]byte, 20)), "x509_golden.der", imasig.ErrNoSignature},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, path+".sig", c.value)
			found, err := imasig.Find(path, data)
			if err != nil {
				t.Fatal(err)
			}
			verified, err := keyring(t, testdata(t, c.cert)).Open(found, now)
			if !errors.Is(err, c.want) || verified != nil || !strings.HasPrefix(err.Error(), path+".sig: ") {
				t.Errorf("%v, %v, want %v", verified, err, c.want)
			}
		})
	}
	write(t, path+".sig", good)
	found, err := imasig.Find(path, data)
	if err != nil {
		t.Fatal(err)
	}
	var unknown *imasig.UnknownKeyError
	if verified, err := keyring(t, testdata(t, "x509_other.der")).Open(found, now); !errors.As(err, &unknown) || unknown.ID != "2bd31990" || verified != nil {
		t.Errorf("other key: %v, %v", verified, err)
	}
}
