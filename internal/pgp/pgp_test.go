package pgp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/compact"
	"digestlists/internal/fixtures"
	"digestlists/internal/hosttest"
	"digestlists/internal/imasig"
	"digestlists/internal/pgp"
)

// now is a time at which the golden key is valid.
var now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	return hosttest.Read(t, filepath.Join("testdata", name))
}

func keyring(t testing.TB, files ...[]byte) *pgp.Keyring {
	t.Helper()
	keys := new(pgp.Keyring)
	for _, data := range files {
		if err := keys.Add(data, "test"); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// header returns the header of a package, as an `rpm` list, and its OpenPGP signature
// from tag 268 or 267 of the signature header.
func header(t testing.TB, path string) (list, signature []byte) {
	t.Helper()
	data := hosttest.Read(t, path)[96:]
	size := func(header []byte) (index, all int) {
		index = int(binary.BigEndian.Uint32(header[8:]))
		return index, 16 + 16*index + int(binary.BigEndian.Uint32(header[12:]))
	}
	index, all := size(data)
	for i := range index {
		entry := data[16+16*i:]
		tag, at, count := binary.BigEndian.Uint32(entry), binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		if tag == 267 || tag == 268 {
			signature = data[16+16*index+int(at):][:count]
		}
	}
	data = data[(all+7)/8*8:]
	_, all = size(data)
	return data[:all], signature
}

func TestGolden(t *testing.T) {
	list, signature := testdata(t, "list"), testdata(t, "list.pgp")
	for _, name := range []string{"RPM-GPG-KEY-golden", "gpg-pub.bin"} {
		key, err := keyring(t, testdata(t, name)).Verify(list, signature, now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if key.IDString() != "77dfba35b8a563ba" || key.Owner != "Golden RPM <golden@example>" {
			t.Errorf("key %s of %q", key.IDString(), key.Owner)
		}
	}
	sig, err := pgp.ParseSignature(signature)
	if err != nil {
		t.Fatal(err)
	}
	if sig.Version != 4 || sig.Hash != compact.SHA512 || sig.KeyIDString() != "77dfba35b8a563ba" || sig.Created.Unix() != 1795319740 {
		t.Errorf("%d %s %s %d", sig.Version, sig.Hash, sig.KeyIDString(), sig.Created.Unix())
	}
}

// TestOnDisk verifies the C tool's on-disk form of a package's signature.
func TestOnDisk(t *testing.T) {
	data := testdata(t, "ondisk")
	attribute, err := imasig.Parse(testdata(t, "ondisk.ima"))
	if err != nil {
		t.Fatal(err)
	}
	keys := keyring(t, testdata(t, "RPM-GPG-KEY-golden"))
	key, err := keys.VerifyList(data, attribute, now)
	if err != nil || key.IDString() != "77dfba35b8a563ba" {
		t.Fatalf("%v, %v", key, err)
	}
	for i := 0; i < len(data); i += 7 {
		data[i] ^= 4
		if key, err := keys.VerifyList(data, attribute, now); !errors.Is(err, imasig.ErrBadSignature) || key != nil {
			t.Errorf("byte %d changed: %v", i, err)
		}
		data[i] ^= 4
	}
	for i := range attribute.Sig {
		attribute.Sig[i] ^= 1
		if key, err := keys.VerifyList(data, attribute, now); !errors.Is(err, imasig.ErrBadSignature) || key != nil {
			t.Errorf("byte %d of the signature changed: %v", i, err)
		}
		attribute.Sig[i] ^= 1
	}
	if _, err := keys.VerifyList(data, attribute, time.Unix(0, 0)); !errors.Is(err, imasig.ErrNotYetValid) {
		t.Errorf("before the key was made: %v", err)
	}
	var unknown *imasig.UnknownKeyError
	if _, err := new(pgp.Keyring).VerifyList(data, attribute, now); !errors.As(err, &unknown) || unknown.ID != "b8a563ba" {
		t.Errorf("no keys: %v", err)
	}
	// More zeros in front, as for a modulus whose size is no multiple of 8, change nothing.
	attribute.Sig = append(make([]byte, 8), attribute.Sig...)
	if _, err := keys.VerifyList(data, attribute, now); err != nil {
		t.Errorf("more padding: %v", err)
	}
}

// TestCentOS verifies real packages with the keys of their time.
func TestCentOS(t *testing.T) {
	dir := fixtures.Packages(t)
	var all [][]byte
	for _, n := range []string{"2", "3", "4", "5", "6", "7"} {
		all = append(all, hosttest.Read(t, filepath.Join(dir, "RPM-GPG-KEY-CentOS-"+n)))
	}
	// All keys in one file, as --rpm-keys may be given.
	keys := keyring(t, bytes.Join(all, []byte("\nthe next one:\n")))
	if n := len(keys.Keys()); n != 6 {
		t.Fatalf("%d keys, want 6", n)
	}
	for name, c := range map[string]struct {
		version int
		hash    compact.Algorithm
		key     string
		expired bool
	}{
		"centos-release-3.1-1.i386.rpm":                      {3, compact.SHA1, "7049e44d025e513b", true},
		"centos-release-4-0.1.i386.rpm":                      {3, compact.SHA1, "a53d0bab443e1821", true},
		"centos-release-4-0.1.x86_64.rpm":                    {3, compact.SHA1, "a53d0bab443e1821", true},
		"centos-release-5-0.0.el5.centos.2.i386.rpm":         {3, compact.SHA1, "a8a447dce8562897", true},
		"centos-release-5-0.0.el5.centos.2.x86_64.rpm":       {3, compact.SHA1, "a8a447dce8562897", true},
		"centos-release-6-0.el6.centos.5.i686.rpm":           {3, compact.SHA256, "0946fca2c105b9de", true},
		"centos-release-6-0.el6.centos.5.x86_64.rpm":         {3, compact.SHA256, "0946fca2c105b9de", true},
		"centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm": {3, compact.SHA256, "24c6a8a7f4a80eb5", false},
		"epel-release-7-5.noarch.rpm":                        {3, compact.SHA256, "24c6a8a7f4a80eb5", false},
	} {
		t.Run(name, func(t *testing.T) {
			list, signature := header(t, filepath.Join(dir, name))
			sig, err := pgp.ParseSignature(signature)
			if err != nil {
				t.Fatal(err)
			}
			if sig.Version != c.version || sig.Hash != c.hash || sig.KeyIDString() != c.key {
				t.Errorf("version %d, %s, key %s", sig.Version, sig.Hash, sig.KeyIDString())
			}
			// The day after it was signed, the key was valid.
			key, err := keys.Verify(list, signature, sig.Created.AddDate(0, 0, 1))
			if err != nil || key.IDString() != c.key {
				t.Fatalf("%v, %v", key, err)
			}
			key, err = keys.Verify(list, signature, now)
			if c.expired && (!errors.Is(err, imasig.ErrExpiredKey) || key != nil) || !c.expired && err != nil {
				t.Errorf("today: %v, %v", key, err)
			}
			list[len(list)-1] ^= 1
			if key, err := keys.Verify(list, signature, now); !errors.Is(err, imasig.ErrBadSignature) || key != nil {
				t.Errorf("changed: %v, %v", key, err)
			}
		})
	}
}

// TestFlippedBits changes the signature bit by bit. What is not signed may change,
// but must not make another signature of it.
func TestFlippedBits(t *testing.T) {
	dir := fixtures.Packages(t)
	golden, goldenKeys := testdata(t, "list"), keyring(t, testdata(t, "RPM-GPG-KEY-golden"))
	v3, v3sig := header(t, filepath.Join(dir, "centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm"))
	dsa, dsaSig := header(t, filepath.Join(dir, "centos-release-4-0.1.i386.rpm"))
	for name, c := range map[string]struct {
		list, signature []byte
		keys            *pgp.Keyring
		now             time.Time
	}{
		"v4 RSA": {golden, testdata(t, "list.pgp"), goldenKeys, now},
		"v3 RSA": {v3, v3sig, keyring(t, hosttest.Read(t, filepath.Join(dir, "RPM-GPG-KEY-CentOS-7"))), now},
		"v3 DSA": {dsa, dsaSig, keyring(t, hosttest.Read(t, filepath.Join(dir, "RPM-GPG-KEY-CentOS-4"))), time.Unix(1120000000, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.keys.Verify(c.list, c.signature, c.now); err != nil {
				t.Fatal(err)
			}
			good, err := pgp.ParseSignature(c.signature)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.signature {
				for bit := range 8 {
					changed := bytes.Clone(c.signature)
					changed[i] ^= 1 << bit
					key, err := c.keys.Verify(c.list, changed, c.now)
					if err != nil {
						if key != nil {
							t.Errorf("byte %d: key with %v", i, err)
						}
						continue
					}
					sig, err := pgp.ParseSignature(changed)
					if err != nil || !bytes.Equal(sig.Tail(), good.Tail()) || sig.KeyID != good.KeyID {
						t.Errorf("byte %d bit %d: verified", i, bit)
					}
				}
			}
			for n := range c.signature {
				if key, err := c.keys.Verify(c.list, c.signature[:n], c.now); err == nil || key != nil {
					t.Errorf("verified when cut at %d", n)
				}
			}
		})
	}
}

func TestBadSignatures(t *testing.T) {
	keys, list := keyring(t, testdata(t, "RPM-GPG-KEY-golden")), testdata(t, "list")
	v3 := func(kind, algorithm, hash byte) []byte {
		body := []byte{3, 5, kind, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, algorithm, hash, 0, 0, 0, 8, 255}
		return append([]byte{0x88, byte(len(body))}, body...)
	}
	for name, c := range map[string]struct {
		signature []byte
		want      error
		text      string
	}{
		"none":              {nil, imasig.ErrNoSignature, ""},
		"armoured":          {[]byte("-----BEGIN PGP SIGNATURE-----\n"), imasig.ErrMalformed, "not a binary packet"},
		"a key":             {testdata(t, "gpg-pub.bin"), imasig.ErrMalformed, "packet type 6, want 2"},
		"cut second packet": {append(testdata(t, "list.pgp"), 0x89, 1, 0), imasig.ErrMalformed, "length 256 of 0 bytes"},
		"second is a key":   {append(testdata(t, "list.pgp"), testdata(t, "gpg-pub.bin")...), imasig.ErrMalformed, "packet type 6, want 2"},
		"65 packets":        {bytes.Repeat([]byte{0xc2, 1, 6}, 65), imasig.ErrMalformed, "more than 64 packets"},
		"version 6":         {[]byte{0xc2, 1, 6}, imasig.ErrUnsupported, "version 6"},
		"huge":              {[]byte{0xc2, 0xff, 0xff, 0xff, 0xff, 0xff, 4}, imasig.ErrMalformed, "length 4294967295"},
		"partial length":    {[]byte{0xc2, 0xe0, 4}, imasig.ErrMalformed, ""},
		"indeterminate":     {[]byte{0x8b, 4}, imasig.ErrMalformed, ""},
		"text document":     {v3(1, 1, 8), imasig.ErrUnsupported, "type 0x1, want 0"},
		"certification":     {v3(0x13, 1, 8), imasig.ErrUnsupported, "type 0x13"},
		"unknown hash":      {v3(0, 1, 99), compact.ErrUnsupportedAlgorithm, "99"},
		"unknown algorithm": {v3(0, 99, 8), imasig.ErrUnsupported, "algorithm 99"},
		"truncated":         {[]byte{0x88, 3, 3, 5, 0}, imasig.ErrMalformed, "truncated"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := keys.Verify(list, c.signature, now)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) || key != nil {
				t.Errorf("%v, %v, want %v with %q", key, err, c.want, c.text)
			}
		})
	}
	var unknown *imasig.UnknownKeyError
	if _, err := keys.Verify(list, v3(0, 1, 8), now); !errors.As(err, &unknown) || unknown.ID != "0102030405060708" {
		t.Errorf("unknown key: %v", err)
	}
}

func TestNotKeys(t *testing.T) {
	armoured := testdata(t, "RPM-GPG-KEY-golden")
	for name, data := range map[string][]byte{
		"empty":        nil,
		"text":         []byte("hello\n"),
		"signature":    testdata(t, "list.pgp"),
		"cut":          armoured[:400],
		"cut packets":  testdata(t, "gpg-pub.bin")[:100],
		"other armour": bytes.ReplaceAll(armoured, []byte("PUBLIC KEY BLOCK"), []byte("MESSAGE")),
		"damaged":      bytes.Replace(armoured, []byte("A"), []byte("B"), 30),
		"a list":       testdata(t, "list"),
	} {
		keys := new(pgp.Keyring)
		if err := keys.Add(data, "x.asc"); !errors.Is(err, imasig.ErrMalformed) || !strings.HasPrefix(err.Error(), "x.asc: ") || len(keys.Keys()) != 0 {
			t.Errorf("%s: %v, %d keys", name, err, len(keys.Keys()))
		}
	}
}

func FuzzVerify(f *testing.F) {
	dir := fixtures.Packages(f)
	f.Add(testdata(f, "list.pgp"))
	_, v3 := header(f, filepath.Join(dir, "centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm"))
	_, dsa := header(f, filepath.Join(dir, "centos-release-4-0.1.i386.rpm"))
	f.Add(v3)
	f.Add(dsa)
	keys := keyring(f, testdata(f, "RPM-GPG-KEY-golden"), hosttest.Read(f, filepath.Join(dir, "RPM-GPG-KEY-CentOS-7")), hosttest.Read(f, filepath.Join(dir, "RPM-GPG-KEY-CentOS-4")))
	f.Fuzz(func(t *testing.T, data []byte) {
		sig, err := pgp.ParseSignature(data)
		if (err == nil) != (sig != nil) {
			t.Fatalf("%v, %v", sig, err)
		}
		if key, err := keys.Verify([]byte("never signed"), data, now); err == nil || key != nil {
			t.Errorf("verified by %v", key)
		}
		if sig == nil {
			return
		}
		if len(sig.Tail()) == 0 {
			t.Error("no tail")
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(testdata(f, "RPM-GPG-KEY-golden"))
	f.Add(testdata(f, "gpg-pub.bin"))
	f.Add(hosttest.Read(f, filepath.Join(fixtures.Packages(f), "RPM-GPG-KEY-CentOS-5")))
	list, signature := testdata(f, "list"), testdata(f, "list.pgp")
	list[100] ^= 1
	f.Fuzz(func(t *testing.T, data []byte) {
		keys := new(pgp.Keyring)
		if err := keys.Add(data, "fuzz"); (err == nil) != (len(keys.Keys()) > 0) {
			t.Errorf("%d keys, %v", len(keys.Keys()), err)
		}
		if key, err := keys.Verify(list, signature, now); err == nil {
			t.Errorf("verified by %v", key)
		}
	})
}
