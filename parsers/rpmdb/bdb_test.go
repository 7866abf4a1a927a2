package rpmdb

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

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
