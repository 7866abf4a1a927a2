package rpmdb

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"digestlists/compact"
)

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
