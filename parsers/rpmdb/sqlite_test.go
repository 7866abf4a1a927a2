package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/parsers"
)

func TestDamagedLog(t *testing.T) {
	path := tempSQLite(t, true)
	want := mustLists(t, parsers.Input{DB: path})
	log := mustRead(t, path+"-wal")
	refused := 0
	for at := 0; at < len(log); at += 701 {
		damaged := slices.Clone(log)
		damaged[at] ^= 0x10
		if refusedOrSame(t, path, path+"-wal", damaged, want, fmt.Sprintf("bit at %d", at)) {
			refused++
		}
	}
	if tries := (len(log) + 700) / 701; refused < tries*9/10 {
		t.Errorf("%d of %d damaged logs were refused", refused, tries)
	}
	const frame = frameHeaderSize + 4096
	last := len(log) - frame
	for name, damaged := range map[string][]byte{
		"cut":               log[:len(log)-1],
		"without a frame":   log[:last],
		"header only":       log[:logHeaderSize],
		"part of a header":  log[:10],
		"salt of last":      flipped(log, last+8),
		"checksum of last":  flipped(log, last+16),
		"salt of the first": flipped(log, logHeaderSize+8),
	} {
		if !refusedOrSame(t, path, path+"-wal", damaged, want, name) {
			t.Errorf("%s: no error", name)
		}
	}
}

// A log without its index, as after a reboot, and frames of older use after its end
// are both normal.
func TestLogAlone(t *testing.T) {
	path := tempSQLite(t, true)
	if err := os.Remove(path + "-shm"); err != nil {
		t.Fatal(err)
	}
	log := mustRead(t, path+"-wal")
	mustWrite(t, path+"-wal", append(log, flipped(log[logHeaderSize:], 8)[:frameHeaderSize+4096]...))
	if got := numbers(mustHeaders(t, path)); len(got) != 11 || got[10] != 100 {
		t.Errorf("got %d", got)
	}
}

// An interrupted transaction is rolled back, in a copy.
func TestHotJournal(t *testing.T) {
	path := tempSQLite(t, false)
	want := mustHeaders(t, path)
	db := writer(t, path, "delete")
	mustExec(t, db, "PRAGMA cache_size=1", "BEGIN",
		"UPDATE Packages SET blob = zeroblob(3000)", "DELETE FROM Packages WHERE hnum > 5")
	crashed := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	mustWrite(t, crashed, mustRead(t, path))
	journal := mustRead(t, path+"-journal")
	mustWrite(t, crashed+"-journal", journal)
	mustExec(t, db, "ROLLBACK")
	if bytes.Equal(mustRead(t, crashed), mustRead(t, path)) {
		t.Fatal("the transaction wrote nothing yet")
	}
	got := mustHeaders(t, crashed)
	same := func(a, b Blob) bool { return a.Number == b.Number && bytes.Equal(a.Data, b.Data) }
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %d, want %d", numbers(got), numbers(want))
	}

	victim := mustWrite(t, filepath.Join(t.TempDir(), "victim"), []byte("no journals"))
	mustWrite(t, crashed+"-journal", append(journal, superJournal(victim)...))
	if _, err := headers(crashed); !errors.Is(err, ErrUnsupported) {
		t.Errorf("super-journal: got %v, want %v", err, ErrUnsupported)
	}
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
}

// superJournal is the end of a journal that names a super-journal: page, name,
// length, checksum, magic.
func superJournal(name string) []byte {
	sum := uint32(0)
	for _, c := range []byte(name) {
		sum += uint32(c)
	}
	b := binary.BigEndian.AppendUint32(nil, 1<<30/4096+1)
	b = binary.BigEndian.AppendUint32(append(b, name...), uint32(len(name)))
	return append(binary.BigEndian.AppendUint32(b, sum), journalMagic...)
}

// Databases that SQLite itself is content with, but that are not RPM's.
func TestForeignSchema(t *testing.T) {
	const packages = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"
	const names = "CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)"
	for _, test := range []struct {
		name   string
		schema []string
		err    error
	}{
		{"empty", []string{packages, names}, nil},
		{"no packages", []string{names}, ErrNoDatabase},
		{"no names", []string{packages}, ErrNoDatabase},
		{"other columns", []string{"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL, more)", names}, ErrNoDatabase},
		{"without rowid", []string{"CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL) WITHOUT ROWID", names}, ErrNoDatabase},
		{"view", []string{"CREATE VIEW Packages AS SELECT 1 AS hnum, zeroblob(1000000000) AS blob", names}, ErrUnsupported},
		{"computed", []string{packages, names, "CREATE TABLE t (a, b AS (zeroblob(1000000000)) NOT NULL)"}, ErrUnsupported},
		{"trigger", []string{packages, names, "CREATE TRIGGER t AFTER INSERT ON Name BEGIN DELETE FROM Packages; END"}, ErrUnsupported},
		{"more names", []string{packages, names, "INSERT INTO Name VALUES ('x', 1, 0)"}, ErrDamaged},
		{"fewer names", []string{packages, names, "INSERT INTO Packages VALUES (1, x'0000000000000000')"}, ErrDamaged},
		{"text for a blob", []string{packages, names, "INSERT INTO Name VALUES ('x', 1, 0)", "INSERT INTO Packages VALUES (1, '12345678')"}, ErrDamaged},
		{"short blob", []string{packages, names, "INSERT INTO Name VALUES ('x', 1, 0)", "INSERT INTO Packages VALUES (1, x'00')"}, ErrDamaged},
		{"negative number", []string{packages, names, "INSERT INTO Name VALUES ('x', 1, 0)", "INSERT INTO Packages VALUES (-1, x'0000000000000000')"}, ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "odd ?#%20 name.sqlite")
			mustWrite(t, path, makeSQLite(t, "", test.schema...))
			if all, err := headers(path); !errors.Is(err, test.err) || len(all) > 0 {
				t.Errorf("got %d headers and %v, want %v", len(all), err, test.err)
			}
		})
	}
}

// makeSQLite returns a database that statements make.
func makeSQLite(t testing.TB, pragma string, statements ...string) []byte {
	path := filepath.Join(t.TempDir(), "made.sqlite")
	db, err := openWriter(path, pragma)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return mustRead(t, path)
}

// Page sizes of SQLite, with headers of every length around what fits on a page.
func TestPageSizes(t *testing.T) {
	for size, rows := range map[int]int{512: 300, 1024: 300, 65536: 40} {
		statements := []string{
			"CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
			"CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)",
		}
		var want []string
		for i := range rows {
			blob := header(size*i*3/rows + i)
			want = append(want, string(blob))
			statements = append(statements, fmt.Sprintf("INSERT INTO Packages VALUES (%d, x'%x')", (i+1)*1000, blob),
				fmt.Sprintf("INSERT INTO Name VALUES ('x', %d, 0)", (i+1)*1000))
		}
		statements = []string{strings.Join(statements, ";")}
		path := mustWrite(t, filepath.Join(t.TempDir(), "rpmdb.sqlite"),
			makeSQLite(t, fmt.Sprintf("_pragma=page_size(%d)&_pragma=journal_mode(off)", size), statements...))
		var got []string
		for _, h := range mustHeaders(t, path) {
			got = append(got, string(h.Data))
		}
		if !slices.Equal(got, want) {
			t.Errorf("page size %d: %d headers, want %d", size, len(got), len(want))
		}
	}
}
