package attest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/rpmpkg"
)

const packages = "../test/inputs/rpms"

// packageReferences are the digests of the packages that the tests have.
func packageReferences(t testing.TB) *attest.References {
	t.Helper()
	refs := attest.NewReferences(nil, now)
	n, err := refs.AddSource(context.Background(), rpmpkg.Source{}, parsers.Input{Paths: []string{packages}})
	if err != nil || n == 0 || n != len(refs.Lists()) {
		t.Fatalf("%d packages, error %v", n, err)
	}
	return refs
}

// Every digest of every package is found again, with its package and path.
func TestPackages(t *testing.T) {
	refs := packageReferences(t)
	checked := 0
	for list, err := range (rpmpkg.Source{}).Lists(context.Background(), parsers.Input{Paths: []string{packages}}) {
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range list.Entries {
			if err != nil {
				t.Fatal(err)
			}
			checked++
			want := fmt.Sprintf("%s %s %s %v", list.Name, e.Path, e.Type, e.Modifiers)
			byDigest, byPath := false, false
			for m := range refs.Lookup(e.Algorithm, e.Digest) {
				byDigest = byDigest || fmt.Sprintf("%s %s %s %v", m.List.Name, m.Path, m.Type, m.Modifiers) == want
			}
			for m := range refs.At(e.Path) {
				byPath = byPath || m.List.Name == list.Name && string(m.Digest) == string(e.Digest)
			}
			if !byDigest || !byPath {
				t.Errorf("%s: found by digest %v, by path %v", want, byDigest, byPath)
			}
		}
	}
	if checked == 0 || checked != refs.Digests() {
		t.Errorf("%d digests checked, %d in the references", checked, refs.Digests())
	}
	for range refs.Lookup(compact.SHA256, make([]byte, 32)) {
		t.Error("zeros are known")
	}
	for range refs.At("") {
		t.Error("the empty path is known")
	}
}

// Digests that begin alike are told apart.
func TestDigestsThatBeginAlike(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	for i := range 5 {
		fmt.Fprintf(&text, "%s%02x  /f%d\n", strings.Repeat("ab", 31), i, i)
	}
	writeFile(t, filepath.Join(dir, "0-file_list-ascii-a"), []byte(text.String()))
	refs := references(t, dir, nil)
	for i := range 6 {
		digest := unhex(t, fmt.Sprintf("%s%02x", strings.Repeat("ab", 31), i))
		var paths []string
		for m := range refs.Lookup(compact.SHA256, digest) {
			paths = append(paths, m.Path)
		}
		if want := fmt.Sprint([]string{fmt.Sprintf("/f%d", i)}); i < 5 && fmt.Sprint(paths) != want || i == 5 && paths != nil {
			t.Errorf("digest %d: %v", i, paths)
		}
	}
}

func TestReferencesRefused(t *testing.T) {
	damaged := writeFile(t, filepath.Join(t.TempDir(), "0-file_list-compact-x"), []byte("damaged"))
	noFormat := writeFile(t, filepath.Join(t.TempDir(), "0-file_list-nobody-x"), []byte("x"))
	noName := writeFile(t, filepath.Join(t.TempDir(), "list"), nil)
	link := filepath.Join(t.TempDir(), "0-file_list-compact-y")
	if err := os.Symlink(damaged, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{damaged, noFormat, noName, link, "none"} {
		refs := attest.NewReferences(nil, now)
		if err := refs.AddFile(path); err == nil || len(refs.Lists()) != 0 {
			t.Errorf("%s: error %v, lists %v", path, err, refs.Lists())
		}
	}
	if _, err := attest.NewReferences(nil, now).AddTree(filepath.Dir(damaged)); err == nil {
		t.Error("a tree with a damaged list was taken")
	}
}
