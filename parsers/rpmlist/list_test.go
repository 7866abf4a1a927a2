package rpmlist_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/rpmhdr"
	"digestlists/parsers/rpmlist"
)

// named returns a header without a region that has nothing but these four.
func named(t *testing.T, name, version, release, arch string) *rpmhdr.Header {
	t.Helper()
	blob := []byte{0, 0, 0, 4, 0, 0, 0, 0}
	var data []byte
	for i, value := range []string{name, version, release, arch} {
		tag := []rpmhdr.Tag{rpmhdr.Name, rpmhdr.Version, rpmhdr.Release, rpmhdr.Arch}[i]
		for _, v := range []uint32{uint32(tag), 6, uint32(len(data)), 1} {
			blob = binary.BigEndian.AppendUint32(blob, v)
		}
		data = append(append(data, value...), 0)
	}
	binary.BigEndian.PutUint32(blob[4:], uint32(len(data)))
	h, err := rpmhdr.Parse(append(blob, data...))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestName(t *testing.T) {
	h := named(t, "g256", "1.2", "3", "x86_64")
	for gen, want := range map[parsers.Generation]string{parsers.Gen03: "g256-1.2-3-x86_64", parsers.Gen039: "g256-1.2-3.x86_64"} {
		if got, err := rpmlist.Name(h, gen); got != want || err != nil {
			t.Errorf("generation %d: %q, %v, want %q", gen, got, err, want)
		}
	}
}

func TestNameRefused(t *testing.T) {
	for _, h := range []*rpmhdr.Header{
		named(t, "", "1", "1", "noarch"),
		named(t, "a", "1", "1", ""),
		named(t, "../a", "1", "1", "noarch"),
		named(t, "a", "1/2", "1", "noarch"),
		named(t, "a", "1", "1\n", "noarch"),
		named(t, "a\x1b[2J", "1", "1", "noarch"),
		named(t, "a\xff", "1", "1", "noarch"),
		named(t, "a", "1", "1", "x.sig"),
	} {
		if name, err := rpmlist.Name(h, parsers.Gen03); !errors.Is(err, rpmlist.ErrName) || name != "" {
			t.Errorf("%q, %v, want %v", name, err, rpmlist.ErrName)
		}
	}
}

func TestIsPubkey(t *testing.T) {
	if !rpmlist.IsPubkey(named(t, "gpg-pubkey", "1", "1", "x")) || rpmlist.IsPubkey(named(t, "gpg-pubkey2", "1", "1", "x")) {
		t.Error("wrong package taken for a key")
	}
}

func TestList(t *testing.T) {
	content := read(t, "lists/g256")
	in := parsers.Input{
		Type:       compact.TypeParser,
		Generation: parsers.Gen039,
		Select:     func(e *parsers.Entry) bool { return parsers.Executable(e.Mode) },
	}
	list, err := rpmlist.List(rpmlist.Package{Content: content, Vendor: []byte("packet")}, in)
	if err != nil {
		t.Fatal(err)
	}
	if list.Format != "rpm" || list.Name != "g256-1.2-3.x86_64" || string(list.Vendor) != "packet" || !bytes.Equal(list.Content, content) {
		t.Errorf("got %q %q %q", list.Format, list.Name, list.Vendor)
	}
	entries, err := parsers.Collect(list.Entries)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range entries {
		if e.Type != compact.TypeParser {
			t.Errorf("type %v", e.Type)
		}
		paths = append(paths, e.Path)
	}
	want := []string{
		"/usr/bin/g256", "/usr/bin/g256-cap", "/usr/bin/g256-cap2", "/usr/bin/g256-empty-exec", "/usr/bin/g256-sgid",
		"/usr/bin/g256-suid", "/usr/lib64/libg256.so.1", "/var/lib/g256/sticky",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("selected %q, want %q", paths, want)
	}
}

// What is wrong with a package is found before there is a list of it.
func TestListRefused(t *testing.T) {
	for _, name := range []string{"rpm-noalgo", "rpm-nomodes", "rpm-dirindex-big", "rpm-trunc-last100", "rpm-trailing"} {
		list, err := rpmlist.List(rpmlist.Package{Content: read(t, "bad/"+name)}, parsers.Input{})
		if err == nil || list != nil {
			t.Errorf("%s gives %v, %v", name, list, err)
		}
	}
}
