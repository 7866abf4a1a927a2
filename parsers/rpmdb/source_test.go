package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
)

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
