package rpmpkg_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	//lint:ignore SA1019 its maintained successor does not read version 3 signatures and their keys
	"golang.org/x/crypto/openpgp"

	"digestlists/compact"
	"digestlists/internal/fixtures"
	"digestlists/parsers"
	"digestlists/parsers/rpmlist"
	"digestlists/parsers/rpmpkg"
)

func packages(t testing.TB) (paths []string) {
	t.Helper()
	for _, dir := range []string{"testdata/rpms", fixtures.Packages(t)} {
		found, err := filepath.Glob(filepath.Join(dir, "*.rpm"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d packages, %v", dir, len(found), err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// query asks the real rpm. What has no value is printed as nothing.
func query(t testing.TB, path, format string) string {
	t.Helper()
	out, err := exec.Command("rpm", "--nosignature", "--nodigest", "-qp", "--qf", format, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("(none)", "", "(not a blob)", "").Replace(string(out))
}

func queryBytes(t testing.TB, path, tag string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(query(t, path, "%{"+tag+":base64}"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func one(t *testing.T, path string, gen parsers.Generation) *parsers.List {
	t.Helper()
	got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: []string{path}, Generation: gen})
	if err != nil || len(got) != 1 {
		t.Fatalf("%d lists, %v", len(got), err)
	}
	return got[0]
}

// The real rpm reads the same in each package.
func TestLikeRPM(t *testing.T) {
	for _, path := range packages(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			list := one(t, path, parsers.Gen039)
			if want := query(t, path, "%{NVRA}"); list.Name != want {
				t.Errorf("name %q, want %q", list.Name, want)
			}
			if want := rpmlist.FromHeader(queryBytes(t, path, "HEADERIMMUTABLE")); !bytes.Equal(list.Content, want) {
				t.Errorf("list of %d bytes, want %d", len(list.Content), len(want))
			}
			if want := append(queryBytes(t, path, "RSAHEADER"), queryBytes(t, path, "DSAHEADER")...); !bytes.Equal(list.Vendor, want) {
				t.Errorf("signature %x, want %x", list.Vendor, want)
			}
			compareFiles(t, list, query(t, path, fileTable))
		})
	}
}

// fileTable is what compareFiles has rpm print of a package.
const fileTable = "[%{FILENAMES}|%{FILEDIGESTS}|%{FILEMODES}|%{LONGFILESIZES}|%{FILEUSERNAME}|%{FILEGROUPNAME}|%{FILECAPS}|%{FILESIGNATURES}\n]"

func compareFiles(t *testing.T, list *parsers.List, table string) {
	t.Helper()
	var got, want []string
	for line := range strings.Lines(table) {
		line = strings.TrimSuffix(line, "\n")
		if strings.Split(line, "|")[1] != "" {
			want = append(want, line)
		}
	}
	entries, err := parsers.Collect(list.Entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%s|%x|%d|%d|%s|%s|%s|%x", e.Path, e.Digest, e.Mode, e.Size, e.User, e.Group, e.Caps, e.Signature))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// The digest of a list in its on-disk form is the one that the vendor signed.
func TestOnDiskVerifies(t *testing.T) {
	dir := fixtures.Packages(t)
	for name, key := range map[string]string{
		"centos-release-6-0.el6.centos.5.x86_64.rpm":         "RPM-GPG-KEY-CentOS-6",
		"centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm": "RPM-GPG-KEY-CentOS-7",
	} {
		t.Run(name, func(t *testing.T) {
			list := one(t, filepath.Join(dir, name), parsers.Gen039)
			content, signature, id, algorithm, err := rpmlist.OnDisk(list.Content, list.Vendor)
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(filepath.Join(dir, key))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			keys, err := openpgp.ReadArmoredKeyRing(f)
			if err != nil {
				t.Fatal(err)
			}
			signer := keys[0].PrimaryKey
			if want := fmt.Sprintf("%016x", signer.KeyId)[8:]; hex.EncodeToString(id[:]) != want {
				t.Errorf("key id %x, want %s", id, want)
			}
			hash := map[compact.Algorithm]crypto.Hash{compact.SHA1: crypto.SHA1, compact.SHA256: crypto.SHA256, compact.SHA512: crypto.SHA512}[algorithm]
			h := hash.New()
			h.Write(content)
			if err := rsa.VerifyPKCS1v15(signer.PublicKey.(*rsa.PublicKey), hash, h.Sum(nil), signature); err != nil {
				t.Error(err)
			}
		})
	}
}
