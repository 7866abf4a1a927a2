package rpmdb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gorpmdb "github.com/knqyf263/go-rpmdb/pkg"

	"digestlists/internal/fixtures"
	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
)

// What the C tool of version 0.3 makes of these databases, in its order.
func TestOrder(t *testing.T) {
	usual := []string{
		"g256-1.2-3-x86_64", "gmd5-0.1-1-x86_64", "gsha1-0.1-1-x86_64", "gsha224-0.1-1-x86_64", "gsha384-0.1-1-x86_64",
		"gsha512-0.1-1-x86_64", "gnoarch-0.1-1-noarch", "gempty-0-1-noarch", "gdironly-0-1-noarch", "gepoch-0-1-noarch",
	}
	logged := append(slices.Delete(slices.Clone(usual), 1, 2), usual[0])
	bdb := mustWrite(t, filepath.Join(t.TempDir(), "Packages"), smallBDB(t))
	for _, test := range []struct {
		path string
		want []string
	}{
		{"testdata/sqlite", usual},
		{tempSQLite(t, true), logged},
		{"testdata/ndb", usual},
		{bdb, usual},
	} {
		for _, jobs := range []int{0, 1, 5} {
			got := mustLists(t, parsers.Input{DB: test.path, Jobs: jobs})
			if !slices.Equal(listNames(got), test.want) {
				t.Errorf("%s, %d jobs:\ngot  %q\nwant %q", test.path, jobs, listNames(got), test.want)
			}
		}
	}
}

// Every real database, against rpm where Debian's has the backend, and against
// go-rpmdb, which is right about undamaged ones.
func TestRealDatabases(t *testing.T) {
	for _, dir := range realDatabases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			db, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := listNames(mustLists(t, parsers.Input{DB: dir}))
			if want := listedByGo(t, db); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
				t.Errorf("got %d packages, go-rpmdb has %d:\n%q\n%q", len(got), len(want), got, want)
			}
			if db.Backend == NDB {
				return // Debian's rpm is built without
			}
			want := listedByRPM(t, db)
			if db.Backend == BerkeleyDB { // rpm goes by the hash
				slices.Sort(got)
				slices.Sort(want)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %d packages, rpm has %d:\n%q\n%q", len(got), len(want), got, want)
			}
		})
	}
}

func realDatabases(t testing.TB) []string {
	dirs, err := filepath.Glob(filepath.Join(fixtures.Databases(t), "*", "*"))
	// SQLite keeps files beside a database while some program has it open.
	dirs = slices.DeleteFunc(dirs, func(file string) bool { return strings.HasSuffix(file, "-shm") || strings.HasSuffix(file, "-wal") })
	if err != nil || len(dirs) != 16 {
		t.Fatalf("%d databases, want 16: %v", len(dirs), err)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

func listedByGo(t *testing.T, db *DB) (all []string) {
	lib, err := gorpmdb.Open(db.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	packages, err := lib.ListPackages()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if p.Name != "gpg-pubkey" {
			all = append(all, strings.Join([]string{p.Name, p.Version, p.Release, p.Arch}, "-"))
		}
	}
	slices.Sort(all)
	return all
}

// listedByRPM runs rpm on a link to the file, and on a copy where it would write.
func listedByRPM(t *testing.T, db *DB) (all []string) {
	dir, backend := t.TempDir(), "bdb_ro"
	if db.Backend == SQLite {
		backend = "sqlite"
		mustWrite(t, filepath.Join(dir, filepath.Base(db.Path)), mustRead(t, db.Path))
	} else if err := os.Symlink(db.Path, filepath.Join(dir, filepath.Base(db.Path))); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("rpm", "--define", "_db_backend "+backend, "--dbpath", dir, "-qa",
		"--qf", `%{NAME}-%{VERSION}-%{RELEASE}-%{ARCH}\n`).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "gpg-pubkey-") {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
	}
	return all
}

// The headers are those that rpm exports, to the last byte.
func TestContent(t *testing.T) {
	for _, name := range []string{"fedora35", "centos7-plain", "centos5-plain", "ubi8-s390x"} {
		db, err := Open(filepath.Join(fixtures.Databases(t), name))
		if err != nil {
			t.Fatal(err)
		}
		exported := exportedByRPM(t, db)
		for _, l := range mustLists(t, parsers.Input{DB: db.Path}) {
			if !exported[hex.EncodeToString([]byte(l.content[len(rpmhdr.Magic):]))] {
				t.Errorf("%s: %s is not what rpm exports", name, l.name)
			}
		}
	}
}

func exportedByRPM(t *testing.T, db *DB) map[string]bool {
	dir, backend := t.TempDir(), "bdb_ro"
	if db.Backend == SQLite {
		backend = "sqlite"
	}
	mustWrite(t, filepath.Join(dir, filepath.Base(db.Path)), mustRead(t, db.Path))
	out, err := exec.Command("rpm", "--define", "_db_backend "+backend, "--dbpath", dir, "-qa",
		"--qf", `%{HEADERIMMUTABLE}\n`).Output()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		exported[strings.TrimSuffix(line, "\n")] = true
	}
	return exported
}

// Reading changes nothing in the folder and leaves nothing there or behind.
func TestLeavesNothing(t *testing.T) {
	for _, log := range []bool{false, true} {
		t.Setenv("TMPDIR", t.TempDir())
		path := tempSQLite(t, log)
		before := listing(t, filepath.Dir(path))
		mustHeaders(t, path)
		if after := listing(t, filepath.Dir(path)); !slices.Equal(before, after) {
			t.Errorf("log %v: the folder was changed:\n%q\n%q", log, before, after)
		}
		if left := listing(t, os.Getenv("TMPDIR")); len(left) != 1 {
			t.Errorf("log %v: left behind: %q", log, left)
		}
	}
}

func TestStops(t *testing.T) {
	for _, path := range []string{"testdata/sqlite", "testdata/ndb", mustWrite(t, filepath.Join(t.TempDir(), "Packages"), smallBDB(t))} {
		db, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for b, err := range db.Headers(context.Background()) {
			if err != nil || b.Number != 1 {
				t.Errorf("%s: %d, %v", path, b.Number, err)
			}
			break
		}
		for l, err := range (Source{}).Lists(context.Background(), parsers.Input{DB: path}) {
			if err != nil || l.Name != "g256-1.2-3-x86_64" {
				t.Errorf("%s: %v, %v", path, l, err)
			}
			break
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		count := 0
		for _, err = range db.Headers(ctx) {
			count++
			cancel()
		}
		if count != 2 || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %d headers after it was cancelled, %v", path, count, err)
		}
	}
}

func TestProgress(t *testing.T) {
	var last int
	mustLists(t, parsers.Input{DB: "testdata/ndb", Progress: func(done int) { last = done }})
	if last != 11 {
		t.Errorf("%d packages done, want 11", last)
	}
}

// during reads a database and calls do after each header that it gets.
func during(t *testing.T, path string, do func(Blob)) ([]uint32, error) {
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for b, err := range db.Headers(context.Background()) {
		if err != nil {
			return got, err
		}
		got = append(got, b.Number)
		do(b)
	}
	return got, nil
}

func writer(t *testing.T, path, mode string) *sql.DB {
	t.Helper()
	db, err := openWriter(path, "_pragma=journal_mode("+mode+")")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// What rpm does when it installs and removes a package.
const (
	installed = `INSERT INTO Packages SELECT 12, blob FROM Packages WHERE hnum = 3;
		INSERT INTO Name SELECT key, 12, idx FROM Name WHERE hnum = 3`
	removed = `DELETE FROM Packages WHERE hnum = 1; DELETE FROM Name WHERE hnum = 1`
)

func TestChangesWhileRead(t *testing.T) {
	all := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	for _, test := range []struct {
		name, mode, change string
		want               []uint32
		err                error
	}{
		{"installed", "delete", installed, append(all[:len(all):len(all)], 12), nil},
		{"installed, in the log", "wal", installed, all, nil}, // as it was at the start
		{"installed, through the log", "wal", installed + "; PRAGMA wal_checkpoint(TRUNCATE)", append(all[:len(all):len(all)], 12), nil},
		{"removed, was not reached", "delete", strings.ReplaceAll(removed, "= 1", "= 9"), slices.Delete(slices.Clone(all), 8, 9), nil},
		{"removed, was handed out", "delete", removed, nil, ErrChanged},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := tempSQLite(t, false)
			db := writer(t, path, test.mode)
			got, err := during(t, path, func(b Blob) {
				if b.Number == 4 {
					mustExec(t, db, test.change)
				}
			})
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			if err == nil && !slices.Equal(got, test.want) {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestChangesForever(t *testing.T) {
	for _, name := range []string{"sqlite/rpmdb.sqlite", "ndb/Packages.db"} {
		path := mustWrite(t, filepath.Join(t.TempDir(), filepath.Base(name)), mustRead(t, "testdata/"+name))
		tick := time.Now()
		_, err := during(t, path, func(Blob) {
			tick = tick.Add(time.Second)
			if err := os.Chtimes(path, tick, tick); err != nil {
				t.Fatal(err)
			}
		})
		if !errors.Is(err, ErrChanged) {
			t.Errorf("%s: got %v, want %v", name, err, ErrChanged)
		}
	}
}

func TestReplacedWhileRead(t *testing.T) {
	path := tempSQLite(t, false)
	got, err := during(t, path, func(b Blob) {
		if b.Number != 3 {
			return
		}
		other := mustWrite(t, path+".new", mustRead(t, path))
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil || len(got) != 11 {
		t.Errorf("got %d, %v: want all of the one or the other", got, err)
	}
}

func BenchmarkHeaders(b *testing.B) {
	for _, name := range []string{"fedora35", "centos7-many", "sle15-bci"} {
		b.Run(name, func(b *testing.B) {
			db, err := Open(filepath.Join(fixtures.Databases(b), name))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				size := int64(0)
				for h, err := range db.Headers(context.Background()) {
					if err != nil {
						b.Fatal(err)
					}
					size += int64(len(h.Data))
				}
				b.SetBytes(size)
			}
		})
	}
}

func BenchmarkSource(b *testing.B) {
	for _, name := range []string{"fedora35", "centos7-many", "sle15-bci"} {
		b.Run(name, func(b *testing.B) {
			in := parsers.Input{DB: filepath.Join(fixtures.Databases(b), name)}
			for b.Loop() {
				for _, err := range (Source{}).Lists(context.Background(), in) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
