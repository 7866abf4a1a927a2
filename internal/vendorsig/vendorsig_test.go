package vendorsig_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/pgp"
	"digestlists/internal/regular"
	"digestlists/internal/vendorsig"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// name is that of the list in each directory.
const name = "0-file_list-rpm-golden"

// now is a time at which the golden key is valid.
var now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// golden reads an input of package pgp, which says where they are from: a package that
// rpmsign has signed, and what the C tool made of it.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	return hosttest.Read(t, filepath.Join("../pgp/testdata", name))
}

func goldenKeys(t *testing.T) *pgp.Keyring {
	t.Helper()
	keys := new(pgp.Keyring)
	must(t, keys.Add(golden(t, "RPM-GPG-KEY-golden"), "golden"))
	return keys
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// lists makes a directory with one list, and its folder of detached signatures.
func lists(t *testing.T, list []byte) (dir, apart string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "lists")
	apart = dir + ".sig"
	must(t, os.Mkdir(dir, 0o755), os.Mkdir(apart, 0o755), os.WriteFile(filepath.Join(dir, name), list, 0o644))
	return dir, apart
}

// find finds the signature of the list as it is in the directory.
func find(t *testing.T, dir string) *vendorsig.List {
	t.Helper()
	l, err := vendorsig.Find(dir, name, hosttest.Read(t, filepath.Join(dir, name)))
	must(t, err)
	return l
}

// wantGood expects the golden signature in a form, and that it is good.
func wantGood(t *testing.T, l *vendorsig.List, form vendorsig.Form) {
	t.Helper()
	if l.Form != form || !bytes.Equal(l.Header, golden(t, "list")) {
		t.Errorf("%v, a header of %d bytes; want %v", l.Form, len(l.Header), form)
	}
	if key, err := l.Verify(goldenKeys(t), now); err != nil || key.IDString() != "77dfba35b8a563ba" {
		t.Errorf("%v: %v, %v", form, key, err)
	}
}

// wantNone expects a list that nobody has signed as its vendor.
func wantNone(t *testing.T, l *vendorsig.List) {
	t.Helper()
	_, verified := l.Verify(goldenKeys(t), now)
	_, packets := l.Packets(goldenKeys(t))
	_, _, onDisk := l.OnDisk(new(pgp.Keyring), now)
	for _, err := range []error{verified, packets, onDisk} {
		if l.Form != vendorsig.None || !errors.Is(err, imasig.ErrNoSignature) {
			t.Errorf("%v: %v", l.Form, err)
		}
	}
}

func TestApart(t *testing.T) {
	dir, apart := lists(t, golden(t, "list"))
	wantNone(t, find(t, dir))
	must(t, os.WriteFile(filepath.Join(apart, name+vendorsig.Suffix), golden(t, "list.pgp"), 0o644))
	l := find(t, dir)
	wantGood(t, l, vendorsig.Apart)
	if packets, err := l.Packets(nil); err != nil || !bytes.Equal(packets, golden(t, "list.pgp")) {
		t.Errorf("packets %x, %v", packets, err)
	}
	content, attribute, err := l.OnDisk(new(pgp.Keyring), now)
	if err != nil || !bytes.Equal(content, golden(t, "ondisk")) || !bytes.Equal(attribute, golden(t, "ondisk.ima")) {
		t.Errorf("on disk, it is not what the C tool wrote: %v", err)
	}
}

func TestOnDisk(t *testing.T) {
	for form, sign := range map[string]func(dir, apart string) error{
		"attribute": func(dir, _ string) error {
			return xattr.Set(filepath.Join(dir, name), imasig.AttributeName, golden(t, "ondisk.ima"))
		},
		"file": func(_, apart string) error {
			return os.WriteFile(filepath.Join(apart, name), golden(t, "ondisk.ima"), 0o644)
		},
	} {
		t.Run(form, func(t *testing.T) {
			dir, apart := lists(t, golden(t, "ondisk"))
			wantNone(t, find(t, dir)) // a tail alone signs nothing
			must(t, sign(dir, apart))
			l := find(t, dir)
			wantGood(t, l, vendorsig.OnDisk)
			content, attribute, err := l.OnDisk(new(pgp.Keyring), now)
			if err != nil || !bytes.Equal(content, golden(t, "ondisk")) || !bytes.Equal(attribute, golden(t, "ondisk.ima")) {
				t.Errorf("it is not the same again: %v", err)
			}

			// Put apart, it is as good.
			packets, err := l.Packets(goldenKeys(t))
			must(t, err)
			dir, apart = lists(t, l.Header)
			must(t, os.WriteFile(filepath.Join(apart, name+vendorsig.Suffix), packets, 0o644))
			wantGood(t, find(t, dir), vendorsig.Apart)
		})
	}
}

// The administrator's signature takes the place of the vendor's in security.ima, and then
// the tail of the list is none.
func TestOnDiskOfAnother(t *testing.T) {
	dir, _ := lists(t, golden(t, "ondisk"))
	admin := hosttest.Read(t, "../imasig/testdata/rsa2048-sha256.ima")
	must(t, xattr.Set(filepath.Join(dir, name), imasig.AttributeName, admin))
	wantNone(t, find(t, dir))
}

// A signature that the administrator has appended is not what the vendor signed.
func TestAppendedIsLeftOut(t *testing.T) {
	for form, file := range map[vendorsig.Form]string{vendorsig.Apart: "list", vendorsig.OnDisk: "ondisk"} {
		dir, apart := lists(t, golden(t, file))
		hosttest.Shell(t, dir, `
			openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=admin -keyout ../key -out ../cert 2>/dev/null
			openssl cms -sign -binary -noattr -outform DER -in `+name+` -signer ../cert -inkey ../key -out ../p7s
			cat ../p7s >>`+name)
		list := filepath.Join(dir, name)
		size := len(hosttest.Read(t, filepath.Join(filepath.Dir(dir), "p7s")))
		trailer := append(make([]byte, 8), byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
		trailer[2] = 2 // struct module_signature: PKCS#7
		must(
			t,
			os.WriteFile(list, append(append(hosttest.Read(t, list), trailer...), "~Module signature appended~\n"...), 0o644),
			os.WriteFile(filepath.Join(apart, name+vendorsig.Suffix), golden(t, "list.pgp"), 0o644),
			xattr.Set(list, imasig.AttributeName, golden(t, "ondisk.ima")),
		)
		wantGood(t, find(t, dir), form)
	}
}

func TestNotGood(t *testing.T) {
	for form, file := range map[vendorsig.Form]string{vendorsig.Apart: "list", vendorsig.OnDisk: "ondisk"} {
		changed := golden(t, file)
		changed[len(golden(t, "list"))-1] ^= 1 // the last byte of the header's data
		dir, apart := lists(t, changed)
		must(
			t,
			os.WriteFile(filepath.Join(apart, name+vendorsig.Suffix), golden(t, "list.pgp"), 0o644),
			xattr.Set(filepath.Join(dir, name), imasig.AttributeName, golden(t, "ondisk.ima")),
		)
		l := find(t, dir)
		if key, err := l.Verify(goldenKeys(t), now); key != nil || !errors.Is(err, imasig.ErrBadSignature) {
			t.Errorf("%v, changed: %v, %v", form, key, err)
		}
		unknown, ok := errors.AsType[*imasig.UnknownKeyError](second(l.Verify(new(pgp.Keyring), now)))
		if !ok || !strings.HasSuffix("77dfba35b8a563ba", unknown.ID) {
			t.Errorf("%v, no keys: %v", form, unknown)
		}
		if key, err := l.Verify(goldenKeys(t), time.Unix(0, 0)); key != nil || err == nil {
			t.Errorf("%v, before the key was made: %v, %v", form, key, err)
		}
	}
}

func second(_ *pgp.Key, err error) error { return err }

func TestCannotTell(t *testing.T) {
	packets := func(apart string) string { return filepath.Join(apart, name+vendorsig.Suffix) }
	for what, tt := range map[string]struct {
		list string
		make func(dir, apart string) error
		want error
	}{
		"a link": {"list", func(_, apart string) error { return os.Symlink("elsewhere", packets(apart)) }, unix.ELOOP},
		"a fifo": {"list", func(_, apart string) error { return unix.Mkfifo(packets(apart), 0o644) }, regular.ErrNotRegular},
		"too many packets": {"list", func(_, apart string) error {
			return os.WriteFile(packets(apart), make([]byte, 64<<10+1), 0o644)
		}, regular.ErrTooLarge},
		"a malformed attribute": {"ondisk", func(dir, _ string) error {
			return xattr.Set(filepath.Join(dir, name), imasig.AttributeName, []byte{3, 2, 4})
		}, imasig.ErrMalformed},
		"a list that is cut off": {"list", func(dir, _ string) error {
			return os.Truncate(filepath.Join(dir, name), 1000)
		}, compact.ErrTruncated},
	} {
		dir, apart := lists(t, golden(t, tt.list))
		must(t, tt.make(dir, apart))
		l, err := vendorsig.Find(dir, name, hosttest.Read(t, filepath.Join(dir, name)))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", what, err, tt.want)
		}
		if l != nil && l.Form != vendorsig.None {
			t.Errorf("%s: %v with an error", what, l.Form)
		}
	}
}
