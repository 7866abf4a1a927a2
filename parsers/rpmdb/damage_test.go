package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
)

// refusedOrSame damages a database, by writing data to one of its files, and wants an
// error or the very lists of the undamaged one. The vendor's signatures may differ:
// they are outside of what header digests cover, and checked as signatures.
func refusedOrSame(t *testing.T, db, file string, data []byte, want []list, what string) (refused bool) {
	t.Helper()
	mustWrite(t, file, data)
	got, err := lists(parsers.Input{DB: db, Jobs: 1})
	same := func(a, b list) bool { return a.name == b.name && a.content == b.content }
	if err == nil && !slices.EqualFunc(got, want, same) {
		t.Errorf("%s: no error, and %d lists that are not the %d of the original", what, len(got), len(want))
	}
	return err != nil
}

// Every kind of damage at many places of each backend: no package is ever missing or
// other than it was without an error.
func TestDamageMatrix(t *testing.T) {
	sqlite := mustRead(t, "testdata/sqlite/rpmdb.sqlite")
	for _, test := range []struct {
		name   string
		data   []byte
		page   int
		flips  int
		others int
	}{
		{"rpmdb.sqlite", sqlite, 4096, 100, 10},
		{"Packages.db", mustRead(t, "testdata/ndb/Packages.db"), 4096, 700, 40},
		{"Packages", smallBDB(t), 512, 700, 40},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, test.name)
			mustWrite(t, path, test.data)
			want := mustLists(t, parsers.Input{DB: path})
			random := rand.New(rand.NewPCG(1, 2))
			damage := func(what string, at int, change func(data []byte) []byte) bool {
				data := change(slices.Clone(test.data))
				return refusedOrSame(t, path, path, data, want, fmt.Sprintf("%s at %d", what, at))
			}
			refused := 0
			for i := range test.flips {
				at := random.IntN(len(test.data))
				if i%2 == 0 { // more often where the structure is
					at = at/test.page*test.page + random.IntN(64)
				}
				bit := byte(1) << random.IntN(8)
				if damage("bit", at, func(d []byte) []byte { d[at%len(d)] ^= bit; return d }) {
					refused++
				}
			}
			if refused < test.flips/8 {
				t.Errorf("%d of %d flipped bits were refused: the test damages nothing", refused, test.flips)
			}
			for range test.others {
				at := random.IntN(len(test.data)/test.page) * test.page
				damage("zeros", at, func(d []byte) []byte { clear(d[at : at+test.page]); return d })
				damage("cut", at, func(d []byte) []byte { return d[:at] })
				from := random.IntN(len(test.data)/test.page) * test.page
				damage(fmt.Sprintf("page of %d", from), at, func(d []byte) []byte {
					copy(d[at:at+test.page], test.data[from:])
					return d
				})
				odd := random.IntN(len(test.data))
				damage("cut", odd, func(d []byte) []byte { return d[:odd] })
			}
		})
	}
}

// A damaged copy of each real database is refused: cut in half, with a page of zeros
// within a header, and with one flipped bit there.
func TestDamagedCopies(t *testing.T) {
	for _, dir := range realDatabases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			db, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			data := mustRead(t, db.Path)
			path := filepath.Join(t.TempDir(), filepath.Base(db.Path))
			half := slices.Clone(data[:len(data)/2])
			all := mustLists(t, parsers.Input{DB: db.Path})
			middle := all[len(all)/2].content
			part := []byte(middle[len(middle)/4:][:64])
			zeros := slices.Clone(data)
			found := 0
			for at := 0; ; at += len(part) { // also where a removed package was
				next := bytes.Index(data[at:], part)
				if next < 0 {
					break
				}
				at += next
				found++
				clear(zeros[at:min(at+4096, len(data))])
				data[at] ^= 1
			}
			if found == 0 {
				t.Fatal("header not found in the file")
			}
			for what, damaged := range map[string][]byte{"half": half, "zeros": zeros, "bit": data} {
				mustWrite(t, path, damaged)
				if got, err := lists(parsers.Input{DB: path}); err == nil {
					t.Errorf("%s: no error, %d lists of %d", what, len(got), len(all))
				}
			}
		})
	}
}

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

func flipped(data []byte, at int) []byte {
	data = slices.Clone(data)
	data[at] ^= 1
	return data
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

// header is the start of a header of n bytes of data, with which it ends.
func header(n int) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(n))
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

// Both byte orders, all page sizes, with headers within and outside of hash pages.
func TestBerkeleyDB(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, size := range []int{512, 4096, 32768} {
			b := newBDB(order, size)
			var want []string
			for i := range 200 {
				want = append(want, string(header(size*i/50)))
			}
			for i := range want { // even numbers first, as a hash may have it
				n := (i*2)%200 + i*2/200
				b.add(uint32(n+1), []byte(want[n]))
			}
			path := mustWrite(t, filepath.Join(t.TempDir(), "Packages"), b.bytes())
			var got []string
			for _, h := range mustHeaders(t, path) {
				got = append(got, string(h.Data))
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, page size %d: %d headers, want %d", order, size, len(got), len(want))
			}
		}
	}
}

func TestBerkeleyDBDamage(t *testing.T) {
	le := binary.LittleEndian
	make := func() *bdbBuilder {
		b := newBDB(le, 512)
		b.add(1, header(1500)) // pages 2 to 5
		b.add(2, header(1500)) // pages 6 to 9
		b.add(3, header(20))
		return b
	}
	for _, test := range []struct {
		name   string
		damage func(pages [][]byte)
		err    error
	}{
		{"none", func([][]byte) {}, nil},
		{"chain into itself", func(p [][]byte) { le.PutUint32(p[4][16:], 3) }, ErrDamaged},
		{"chain into another", func(p [][]byte) { le.PutUint32(p[3][16:], 8) }, ErrDamaged},
		{"chain out of the file", func(p [][]byte) { le.PutUint32(p[3][16:], 1<<31) }, ErrDamaged},
		{"chain cut", func(p [][]byte) { le.PutUint32(p[4][16:], 0) }, ErrDamaged},
		{"chain into a hash page", func(p [][]byte) { le.PutUint32(p[4][16:], 1) }, ErrDamaged},
		{"back link", func(p [][]byte) { le.PutUint32(p[4][12:], 9) }, ErrDamaged},
		{"page number", func(p [][]byte) { le.PutUint32(p[4][8:], 9) }, ErrDamaged},
		{"page type", func(p [][]byte) { p[4][25] = 99 }, ErrDamaged},
		{"bytes on a page", func(p [][]byte) { le.PutUint16(p[5][22:], 487) }, ErrDamaged},
		{"item count", func(p [][]byte) { le.PutUint16(p[1][20:], 6) }, ErrDamaged},
		{"odd item count", func(p [][]byte) { le.PutUint16(p[1][20:], 7) }, ErrDamaged},
		{"many items", func(p [][]byte) { le.PutUint16(p[1][20:], 60000) }, ErrDamaged},
		{"item offset", func(p [][]byte) { le.PutUint16(p[1][28:], 3) }, ErrDamaged},
		{"item type", func(p [][]byte) { p[1][512-5-12] = 4 }, ErrDamaged},
		{"key twice", func(p [][]byte) { le.PutUint32(p[1][512-4:], 2) }, ErrDamaged},
		{"key too high", func(p [][]byte) { le.PutUint32(p[1][512-4:], 9) }, ErrDamaged},
		{"length", func(p [][]byte) { le.PutUint32(p[1][512-5-4:], 1<<31) }, ErrDamaged},
		{"keys", func(p [][]byte) { le.PutUint32(p[0][88:], 3) }, ErrDamaged},
		{"hash page lost", func(p [][]byte) { clear(p[1]) }, ErrDamaged},
		{"last page", func(p [][]byte) { le.PutUint32(p[0][32:], 1<<32-1) }, ErrDamaged},
		{"page size", func(p [][]byte) { le.PutUint32(p[0][20:], 513) }, ErrDamaged},
		{"encrypted", func(p [][]byte) { p[0][24] = 1 }, ErrDamaged},
		{"checksums", func(p [][]byte) { p[0][26] = 1 }, ErrUnsupported},
		{"version", func(p [][]byte) { p[0][16] = 5 }, ErrUnsupported},
		{"btree", func(p [][]byte) { p[0][25] = 9 }, ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := make()
			b.bytes()
			test.damage(b.pages)
			path := mustWrite(t, filepath.Join(t.TempDir(), "Packages"), slices.Concat(b.pages...))
			if _, err := headers(path); !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
		})
	}
}

func TestNDBDamage(t *testing.T) {
	data := mustRead(t, "testdata/ndb/Packages.db")
	slot := func(n int) int { return 32 + 16*(n-1) }
	le := binary.LittleEndian
	for _, test := range []struct {
		name   string
		damage func(d []byte)
		err    error
	}{
		{"none", func([]byte) {}, nil},
		{"slot lost", func(d []byte) { clear(d[slot(5)+4 : slot(6)]) }, ErrDamaged},
		{"slot magic", func(d []byte) { d[slot(200)]++ }, ErrDamaged},
		{"slot twice", func(d []byte) { copy(d[slot(20):], d[slot(5):slot(6)]) }, ErrDamaged},
		{"blob in two slots", func(d []byte) { copy(d[slot(5)+8:], d[slot(4)+8:slot(5)]) }, ErrDamaged},
		{"block in the slots", func(d []byte) { le.PutUint32(d[slot(5)+8:], 3) }, ErrDamaged},
		{"block out of the file", func(d []byte) { le.PutUint32(d[slot(5)+8:], 1<<32-1) }, ErrDamaged},
		{"no blocks", func(d []byte) { le.PutUint32(d[slot(5)+12:], 0) }, ErrDamaged},
		{"blocks", func(d []byte) { le.PutUint32(d[slot(5)+12:], 1<<32-1) }, ErrDamaged},
		{"slot pages", func(d []byte) { le.PutUint32(d[12:], 1<<32-1) }, ErrDamaged},
		{"next package", func(d []byte) { le.PutUint32(d[16:], 4) }, ErrDamaged},
		{"version", func(d []byte) { d[4] = 1 }, ErrUnsupported},
		{"blob magic", func(d []byte) { d[4096]++ }, ErrDamaged},
		{"blob size", func(d []byte) { d[4096+12]++ }, ErrDamaged},
		{"blob generation", func(d []byte) { d[4096+8]++ }, ErrDamaged},
		{"blob data", func(d []byte) { d[4096+500]++ }, ErrDamaged},
		{"tail", func(d []byte) { d[len(d)-1]++ }, ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			damaged := slices.Clone(data)
			test.damage(damaged)
			path := mustWrite(t, filepath.Join(t.TempDir(), "Packages.db"), damaged)
			_, err := headers(path)
			var format *compact.FormatError
			if !errors.Is(err, test.err) || err != nil && !errors.As(err, &format) {
				t.Errorf("got %v, want %v with a place", err, test.err)
			}
		})
	}
}

func TestNDBLock(t *testing.T) {
	path := mustWrite(t, filepath.Join(t.TempDir(), "Packages.db"), mustRead(t, "testdata/ndb/Packages.db"))
	holder, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if err := lockExclusive(holder); err != nil {
		t.Fatal(err)
	}
	if _, err := headers(path); !errors.Is(err, ErrBusy) {
		t.Errorf("locked: got %v, want %v", err, ErrBusy)
	}
	if err := unlock(holder); err != nil {
		t.Fatal(err)
	}
	got, err := during(t, path, func(Blob) { // RPM is not kept waiting by the caller
		if err := lockExclusive(holder); err != nil {
			t.Error(err)
		}
	})
	if err != nil || len(got) != 11 {
		t.Errorf("unlocked: got %d, %v", got, err)
	}
}

// Readers do not disturb each other.
func TestConcurrentReaders(t *testing.T) {
	path := tempSQLite(t, true)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			if all, err := headers(path); err != nil || len(all) != 11 {
				t.Errorf("%d, %v", len(all), err)
			}
		})
	}
	readers.Wait()
}

// One package at a time in a database that has no checksum of its own.
func TestSourceRefuses(t *testing.T) {
	all := mustHeaders(t, "testdata/sqlite")
	pkg, key := all[0].Data, all[10].Data
	change := func(blob []byte, before, after string) []byte {
		if !bytes.Contains(blob, []byte(before)) {
			t.Fatalf("no %q in the header", before)
		}
		return bytes.Replace(blob, []byte(before), []byte(after), 1)
	}
	noRegion := slices.Concat(
		[]byte{0, 0, 0, 2, 0, 0, 0, 8},
		[]byte{0, 0, 1, 0x0d, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1}, // SHA1 digest
		[]byte{0, 0, 3, 0xe8, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1}, // name
		[]byte("abc\x00pkg\x00"))
	// RPM has stored digests of keys for some years only: give the tags another number.
	undigested := change(change(key, "\x00\x00\x01\x0d", "\x00\x00\x01\x32"), "\x00\x00\x01\x11", "\x00\x00\x01\x33")
	for _, test := range []struct {
		name string
		blob []byte
		want int
		err  error
	}{
		{"package", pkg, 1, nil},
		{"key", key, 0, nil},
		{"key with another name", change(key, "gpg-pubkey", "gpg-pubkez"), 0, rpmhdr.ErrDigest},
		{"old key with another name", change(undigested, "gpg-pubkey", "gpg-pubkez"), 0, ErrDamaged},
		{"content", change(pkg, "g256", "g257"), 0, rpmhdr.ErrDigest},
		{"name of a key", change(pkg, "\x00g256\x00", "\x00gpg-\x00"), 0, rpmhdr.ErrDigest},
		{"digest of no region", noRegion, 0, ErrDamaged},
		{"not a header", header(100), 0, compact.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBDB(binary.LittleEndian, 512)
			b.add(1, test.blob)
			path := mustWrite(t, filepath.Join(t.TempDir(), "Packages"), b.bytes())
			got, err := lists(parsers.Input{DB: path})
			if !errors.Is(err, test.err) || len(got) != test.want {
				t.Fatalf("%d lists, %v; want %d, %v", len(got), err, test.want, test.err)
			}
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name %q", err, path)
			}
		})
	}
}

func TestSourceFinds(t *testing.T) {
	root := t.TempDir()
	in := parsers.Input{Root: root}
	if _, err := lists(in); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("got %v, want %v", err, ErrNoDatabase)
	}
	if left := listing(t, root); len(left) != 1 {
		t.Errorf("made in the root: %q", left)
	}
	mustWrite(t, filepath.Join(root, "usr/lib/sysimage/rpm/Packages.db"), mustRead(t, "testdata/ndb/Packages.db"))
	if got := mustLists(t, in); len(got) != 10 {
		t.Errorf("%d lists, want 10", len(got))
	}
}
