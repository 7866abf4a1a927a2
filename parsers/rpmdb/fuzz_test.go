package rpmdb

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"
)

// checkAny reads whatever is in a file: it ends, and it does not make more of the
// file than there is in it.
func checkAny(t *testing.T, path string, size int) {
	db, err := Open(path)
	if err != nil {
		return
	}
	total := 0
	for b, err := range db.Headers(context.Background()) {
		if err != nil {
			if b.Data != nil {
				t.Error("a header with an error")
			}
			return
		}
		if len(b.Data) < 8 || b.Number == 0 {
			t.Errorf("package %d of %d bytes", b.Number, len(b.Data))
		}
		total += len(b.Data)
	}
	if total > size {
		t.Errorf("%d bytes of headers in a file of %d", total, size)
	}
}

func FuzzNDB(f *testing.F) {
	f.Add(mustRead(f, "testdata/ndb/Packages.db"))
	path := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 4 {
			copy(data, "RpmP")
		}
		checkAny(t, mustWrite(t, path, data), len(data))
	})
}

func FuzzBerkeleyDB(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := newBDB(order, 512)
		b.add(1, header(1200))
		b.add(2, header(20))
		f.Add(b.bytes())
	}
	path := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, data []byte) {
		checkAny(t, mustWrite(t, path, data), len(data))
	})
}

func tinySQLite(f testing.TB) []byte {
	return makeSQLite(f, "_pragma=page_size(512)",
		"CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)",
		"CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)",
		"INSERT INTO Name VALUES ('a', 1, 0), ('b', 2, 0)",
		"INSERT INTO Packages VALUES (1, x'00000000000003d8' || zeroblob(984)), (2, x'0000000000000000')",
		"UPDATE Packages SET blob = CAST(blob AS BLOB)")
}

func FuzzSQLite(f *testing.F) {
	f.Add(tinySQLite(f))
	path := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, data []byte) {
		checkAny(t, mustWrite(t, path, data), len(data))
	})
}

// The walk over the pages alone: it is faster than SQLite, and starts at any page.
func FuzzTree(f *testing.F) {
	data := tinySQLite(f)
	for root := range len(data) / 512 {
		f.Add(data, uint32(root+1))
	}
	path := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, data []byte, root uint32) {
		file, err := openFile(mustWrite(t, path, data))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for _, keep := range []bool{false, true} {
			p, err := openPages(file)
			if err != nil {
				return
			}
			w := &walk{pages: p, ctx: t.Context(), keep: keep}
			if w.tree(root) != nil {
				continue
			}
			total := 0
			for _, c := range w.found {
				blob, err := p.blob(c, nil)
				if err == nil {
					total += len(blob)
				}
			}
			if total > len(data) {
				t.Errorf("%d bytes of headers in a file of %d", total, len(data))
			}
		}
	})
}

func FuzzLog(f *testing.F) {
	f.Add(mustRead(f, "testdata/sqlite-wal/rpmdb.sqlite-wal"))
	main := mustRead(f, "testdata/sqlite/rpmdb.sqlite")
	path := mustWrite(f, filepath.Join(f.TempDir(), "db"), main)
	f.Fuzz(func(t *testing.T, log []byte) {
		mustWrite(t, path+"-wal", log)
		checkAny(t, path, len(main)+len(log))
	})
}
