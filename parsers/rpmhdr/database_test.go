package rpmhdr_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/glebarez/go-sqlite"
	"github.com/knqyf263/go-rpmdb/pkg/bdb"
	dbi "github.com/knqyf263/go-rpmdb/pkg/db"
	"github.com/knqyf263/go-rpmdb/pkg/ndb"
	"github.com/knqyf263/go-rpmdb/pkg/sqlite3"

	"digestlists/internal/fixtures"
	"digestlists/parsers/rpmhdr"
)

// blobs returns the stored headers of a database.
func blobs(t testing.TB, path string) (all [][]byte) {
	t.Helper()
	var db dbi.RpmDBInterface
	var err error
	switch filepath.Base(path) {
	case "Packages":
		db, err = bdb.Open(path)
	case "Packages.db":
		db, err = ndb.Open(path)
	default:
		db, err = sqlite3.Open(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for entry := range db.Read() {
		if entry.Err != nil {
			t.Fatal(entry.Err)
		}
		all = append(all, bytes.Clone(entry.Value))
	}
	return all
}

// Each package's vendor hashed the region: the digest that the database keeps
// shows that ours is the same to the byte.
func TestRealDatabases(t *testing.T) {
	dir := fixtures.Databases(t)
	for _, tt := range []struct {
		path             string
		packages, legacy int
	}{
		{"centos5-plain/Packages", 110, 0},
		{"centos6-many/Packages", 326, 1},
		{"ubi8-s390x/Packages", 183, 0},
		{"sle15-bci/Packages.db", 35, 0},
		{"fedora35/rpmdb.sqlite", 138, 0},
		{"cbl-mariner-2.0/rpmdb.sqlite", 129, 0},
	} {
		t.Run(filepath.Dir(tt.path), func(t *testing.T) {
			var files rpmhdr.Files
			legacy := 0
			stored := blobs(t, filepath.Join(dir, tt.path))
			for _, blob := range stored {
				s, err := rpmhdr.ParseStored(blob, nil)
				if err != nil {
					t.Fatal(err)
				}
				if s.Legacy {
					legacy++
				} else if s.SHA1 == "" {
					t.Error("no digest to compare with")
				}
				if err := s.Verify(); err != nil {
					t.Error(err)
				}
				compareFiles(t, &files, s.Region)
			}
			if len(stored) != tt.packages || legacy != tt.legacy {
				t.Errorf("%d packages, %d of them legacy, want %d and %d", len(stored), legacy, tt.packages, tt.legacy)
			}
		})
	}
}

// compareFiles compares what Files yields with the strings in the header.
func compareFiles(t *testing.T, files *rpmhdr.Files, region []byte) {
	t.Helper()
	h, err := rpmhdr.Parse(region)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Whole() {
		t.Error("a region is not whole")
	}
	var want, got []string
	for digest := range h.Strings(rpmhdr.FileDigests) {
		if digest != "" {
			want = append(want, digest)
		}
	}
	if err := files.Load(h); err != nil {
		t.Fatal(err)
	}
	for _, r := range records(files) {
		got = append(got, r.digest)
		if !strings.HasPrefix(r.path, "/") || r.user == "" || r.group == "" {
			t.Errorf("record %+v", r)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		name, _ := h.String(rpmhdr.Name)
		t.Errorf("%s: digests differ", name)
	}
}

// librpm itself exports the same bytes as tag 63.
func TestImmutableLikeLibrpm(t *testing.T) {
	for path, backend := range map[string]string{
		"centos6-many/Packages": "bdb_ro",
		"fedora35/rpmdb.sqlite": "sqlite",
	} {
		t.Run(backend, func(t *testing.T) {
			source := filepath.Join(fixtures.Databases(t), path)
			dir := t.TempDir()
			raw, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), raw, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("rpm", "--dbpath", dir, "--define", "_db_backend "+backend,
				"-qa", "--qf", "%{HEADERIMMUTABLE:base64};").Output()
			if err != nil {
				t.Fatal(err)
			}
			want := make(map[string]int)
			for item := range strings.SplitSeq(strings.TrimSuffix(string(out), ";"), ";") {
				if region, err := base64.StdEncoding.DecodeString(item); err == nil {
					want[string(region)]++
				} else if item != "(not a blob)" && item != "(none)" {
					t.Fatalf("rpm printed %q", item)
				}
			}
			for _, blob := range blobs(t, source) {
				if region, err := rpmhdr.Immutable(blob); err == nil {
					want[string(region)]--
				}
			}
			for region, surplus := range want {
				if surplus != 0 {
					t.Errorf("a region of %d bytes: rpm has %+d", len(region), surplus)
				}
			}
		})
	}
}
