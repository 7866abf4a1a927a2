package rpmdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"digestlists/parsers"
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

func flipped(data []byte, at int) []byte {
	data = slices.Clone(data)
	data[at] ^= 1
	return data
}

// header is the start of a header of n bytes of data, with which it ends.
func header(n int) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(n))
	for i := range n {
		b = append(b, byte(i))
	}
	return b
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
