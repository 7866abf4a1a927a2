package rpmdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"digestlists/parsers"
)

func TestMain(m *testing.M) {
	retryWait, lockWait = 0, 0
	os.Exit(m.Run())
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustWrite(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tempSQLite makes a database to write to, and with it its log if log is set.
func tempSQLite(t testing.TB, log bool) string {
	t.Helper()
	path := mustWrite(t, filepath.Join(t.TempDir(), "rpmdb.sqlite"), mustRead(t, "testdata/sqlite/rpmdb.sqlite"))
	if log {
		for _, suffix := range []string{"-wal", "-shm"} {
			mustWrite(t, path+suffix, mustRead(t, "testdata/sqlite-wal/rpmdb.sqlite"+suffix))
		}
	}
	return path
}

// headers reads all of a database.
func headers(path string) ([]Blob, error) {
	db, err := Open(path)
	if err != nil {
		return nil, err
	}
	var all []Blob
	for b, err := range db.Headers(context.Background()) {
		if err != nil {
			return nil, err
		}
		all = append(all, Blob{b.Number, slices.Clone(b.Data)})
	}
	return all, nil
}

func mustHeaders(t testing.TB, path string) []Blob {
	t.Helper()
	all, err := headers(path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func numbers(all []Blob) []uint32 {
	var list []uint32
	for _, b := range all {
		list = append(list, b.Number)
	}
	return list
}

// A list is what of a parsers.List can be compared.
type list struct{ name, content, vendor string }

// lists reads all lists of a database.
func lists(in parsers.Input) ([]list, error) {
	var all []list
	for l, err := range (Source{}).Lists(context.Background(), in) {
		if err != nil {
			return nil, err
		}
		all = append(all, list{l.Name, string(l.Content), string(l.Vendor)})
	}
	return all, nil
}

func mustLists(t testing.TB, in parsers.Input) []list {
	t.Helper()
	all, err := lists(in)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func listNames(all []list) []string {
	var names []string
	for _, l := range all {
		names = append(names, l.name)
	}
	return names
}

// bdbBuilder makes Berkeley DB hash files as RPM does: key 0, packages, and values
// that do not fit into a quarter of a page on overflow pages.
type bdbBuilder struct {
	order    binary.ByteOrder
	size     int
	pages    [][]byte
	keys     uint32
	highest  uint32
	hashPage int // number of the current hash page
}

func newBDB(order binary.ByteOrder, size int) *bdbBuilder {
	b := &bdbBuilder{order: order, size: size}
	b.page(8)
	b.hashPage = b.page(13)
	return b
}

func (b *bdbBuilder) page(kind byte) int {
	n := len(b.pages)
	p := make([]byte, b.size)
	b.order.PutUint32(p[8:], uint32(n))
	b.order.PutUint16(p[22:], uint16(b.size))
	p[25] = kind
	b.pages = append(b.pages, p)
	return n
}

// item puts an item on the hash page.
func (b *bdbBuilder) item(data []byte) {
	p := b.pages[b.hashPage]
	count, high := int(b.order.Uint16(p[20:])), int(b.order.Uint16(p[22:]))
	if count == 0 {
		high = b.size
	}
	high -= len(data)
	copy(p[high:], data)
	b.order.PutUint16(p[26+2*count:], uint16(high))
	b.order.PutUint16(p[20:], uint16(count+1))
	b.order.PutUint16(p[22:], uint16(high))
}

func (b *bdbBuilder) add(number uint32, value []byte) {
	p := b.pages[b.hashPage]
	if count := int(b.order.Uint16(p[20:])); count > 0 {
		free := int(b.order.Uint16(p[22:])) - 26 - 2*count
		if free < 4+5+max(12, b.size/4+1) {
			b.hashPage = b.page(13)
		}
	}
	key := append([]byte{1}, make([]byte, 4)...)
	b.order.PutUint32(key[1:], number)
	b.item(key)
	b.keys++
	b.highest = max(b.highest, number)
	if len(value) < b.size/4 {
		b.item(append([]byte{1}, value...))
		return
	}
	ref := make([]byte, 12)
	ref[0] = 3
	b.order.PutUint32(ref[4:], uint32(len(b.pages)))
	b.order.PutUint32(ref[8:], uint32(len(value)))
	b.item(ref)
	for before := 0; len(value) > 0; {
		n := b.page(7)
		here := min(len(value), b.size-26)
		copy(b.pages[n][26:], value[:here])
		value = value[here:]
		b.order.PutUint32(b.pages[n][12:], uint32(before))
		b.order.PutUint16(b.pages[n][20:], 1)
		b.order.PutUint16(b.pages[n][22:], uint16(here))
		if len(value) > 0 {
			b.order.PutUint32(b.pages[n][16:], uint32(n+1))
		}
		before = n
	}
}

func (b *bdbBuilder) bytes() []byte {
	highest := make([]byte, 4)
	b.order.PutUint32(highest, b.highest)
	b.add(0, highest)
	meta := b.pages[0]
	b.order.PutUint32(meta[12:], 0x00061561)
	b.order.PutUint32(meta[16:], 9)
	b.order.PutUint32(meta[20:], uint32(b.size))
	b.order.PutUint32(meta[32:], uint32(len(b.pages)-1))
	b.order.PutUint32(meta[88:], b.keys)
	return slices.Concat(b.pages...)
}

// smallBDB is the database of testdata/sqlite in a Berkeley DB file, with pages so
// small that there are several hash pages and long chains.
func smallBDB(t testing.TB) []byte {
	b := newBDB(binary.LittleEndian, 512)
	for _, h := range mustHeaders(t, "testdata/sqlite") {
		b.add(h.Number, h.Data)
	}
	return b.bytes()
}

// openWriter opens a database as rpm does, to write to it.
func openWriter(path, pragma string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", path+"?"+pragma)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

func lockExclusive(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
