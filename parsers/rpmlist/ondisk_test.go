package rpmlist_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/rpmlist"
)

// goldenIMA is what the C tools 0.3.95 put into security.ima of g256.ondisk after
// the first byte pair, type and version: algorithm, key id, size, signature.
const goldenIMA = "06b8a563ba0100ba5f1b296bb8808a8c87c411b631685c0f19efafdddb3f4e338db57ea00418029ac43315e554c2c35ed444c722cca2ec02e4e837e483c7b2afc4dc59adb6eab70165a5376c8c84809ec88eafe1da871bfb95a7f6a60c8689626e71800d1d4fd89afb2efa02136183bf420454cc3ad257d549202dd43804b3fa1558ecab8196ab974c97339f4e10cc304f23c6e8d06c883a3ba14ed8cf341d3173ba6f5ce4b431bf5046ee139f304a89cc6bb190a8bbc2a4b0e1253e14e96acde93725c15aed5e1aa165a0304df42d6c1e025d2e33f21e49453160052ce6329e84f7ba3c19f21f6d77eab4174d8ed5c27654e1de033682c3cbe60bddd93e2af96c1af0eea121fa"

func TestOnDiskGolden(t *testing.T) {
	list, raw, key, hash, err := rpmlist.OnDisk(read(t, "lists/g256"), read(t, "lists/g256.sig"))
	if err != nil {
		t.Fatal(err)
	}
	if want := read(t, "lists/g256.ondisk"); !bytes.Equal(list, want) {
		t.Errorf("list ends with %x, want %x", list[len(list)-60:], want[len(want)-60:])
	}
	ima := slices.Concat([]byte{byte(hash)}, key[:], []byte{byte(len(raw) >> 8), byte(len(raw))}, raw)
	if got := hex.EncodeToString(ima); got != goldenIMA {
		t.Errorf("security.ima %s\nwant         %s", got, goldenIMA)
	}
}

// A v3 signature with a number that is one byte short of a multiple of 8.
var v3 = slices.Concat(
	[]byte{0x88, 19 + 2 + 7, 3, 5, 0, 1, 2, 3, 4}, []byte("KEYID678"), []byte{1, 2, 0xaa, 0xbb},
	[]byte{0, 49}, []byte{1, 2, 3, 4, 5, 6, 7},
)

func TestOnDiskV3(t *testing.T) {
	plain := read(t, "lists/g256")
	list, raw, key, hash, err := rpmlist.OnDisk(plain, v3)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(list, append(slices.Clone(plain), 0, 1, 2, 3, 4)) {
		t.Errorf("list ends with %x", list[len(plain):])
	}
	if !bytes.Equal(raw, []byte{0, 1, 2, 3, 4, 5, 6, 7}) || string(key[:]) != "D678" || hash != compact.SHA1 {
		t.Errorf("got %x by %s, %v", raw, key, hash)
	}
	header, tail, err := rpmlist.Split(list)
	if err != nil || !bytes.Equal(header, plain) || !bytes.Equal(tail, []byte{0, 1, 2, 3, 4}) {
		t.Errorf("Split gives %d and %d bytes, %v", len(header), len(tail), err)
	}
}

// Signatures made with DSA, or of RFC 9580's version 6, before the RSA one are passed over.
func TestOnDiskSecondPacket(t *testing.T) {
	dsa := slices.Clone(v3)
	dsa[17] = 17
	for _, before := range [][]byte{dsa, {0xc2, 2, 6, 0}} {
		_, raw, _, _, err := rpmlist.OnDisk(read(t, "lists/g256"), slices.Concat(before, v3))
		if err != nil || len(raw) != 8 {
			t.Errorf("%x, %v", raw, err)
		}
	}
}

func TestOnDiskRefused(t *testing.T) {
	golden := read(t, "lists/g256.sig")
	change := func(packet []byte, at int, to byte) []byte {
		packet = slices.Clone(packet)
		packet[at] = to
		return packet
	}
	for name, tt := range map[string]struct {
		packets []byte
		class   error
	}{
		"none":                 {nil, compact.ErrTruncated},
		"DSA only":             {change(v3, 17, 17), compact.ErrUnsupportedAlgorithm},
		"unknown hash":         {change(v3, 18, 99), compact.ErrUnsupportedAlgorithm},
		"version 6":            {change(v3, 2, 6), compact.ErrUnsupportedVersion},
		"key packet":           {change(v3, 0, 0x98), compact.ErrMalformed},
		"indefinite length":    {change(v3, 0, 0x8b), compact.ErrMalformed},
		"partial length":       {change(change(v3, 0, 0xc2), 1, 0xe1), compact.ErrMalformed},
		"no packet":            {change(v3, 0, 0x08), compact.ErrMalformed},
		"text document":        {change(v3, 4, 1), compact.ErrMalformed},
		"v3 hashes 6 bytes":    {change(v3, 3, 6), compact.ErrMalformed},
		"v3 cut":               {v3[:20], compact.ErrTruncated},
		"number cut":           {change(v3, 1, 27)[:len(v3)-1], compact.ErrTruncated},
		"number longer":        {change(v3, 22, 80), compact.ErrTruncated},
		"number shorter":       {change(v3, 22, 9), compact.ErrMalformed},
		"bytes after it":       {append(slices.Clone(v3), 1), compact.ErrMalformed},
		"v4 cut":               {golden[:40], compact.ErrTruncated},
		"v4 hashed too long":   {change(golden, 7, 0xff), compact.ErrTruncated},
		"v4 without an issuer": {[]byte{0x88, 14, 4, 0, 1, 8, 0, 0, 0, 0, 0xaa, 0xbb, 0, 8, 9, 9}, compact.ErrMalformed},
	} {
		list, raw, _, _, err := rpmlist.OnDisk(read(t, "lists/g256"), tt.packets)
		if !errors.Is(err, tt.class) || list != nil || raw != nil {
			t.Errorf("%s: error is %v, want %v", name, err, tt.class)
		}
	}
	if _, _, _, _, err := rpmlist.OnDisk(read(t, "lists/g256.ondisk"), golden); !errors.Is(err, compact.ErrMalformed) {
		t.Errorf("a second signature gives %v", err)
	}
}

func TestSplitRefused(t *testing.T) {
	plain, tail := read(t, "lists/g256"), read(t, "lists/g256.ondisk")[4373:]
	for name, bad := range map[string][]byte{
		"one byte":             {0},
		"v3 of text":           {1, 0, 0, 0, 0},
		"v3 and more":          {0, 0, 0, 0, 0, 0},
		"v4 cut":               tail[:len(tail)-1],
		"v4 and more":          append(slices.Clone(tail), 0),
		"v4 twice":             slices.Concat(tail, tail),
		"v4 of text":           slices.Concat([]byte{4, 1}, tail[2:]),
		"v4 end of version 3":  slices.Concat(tail[:51], []byte{3}, tail[52:]),
		"v4 end without 255":   slices.Concat(tail[:52], []byte{0xfe}, tail[53:]),
		"v4 end counts wrong":  slices.Concat(tail[:56], []byte{0x32}),
		"v4 begin counts more": slices.Concat(tail[:5], []byte{0x2e}, tail[6:]),
	} {
		if header, got, err := rpmlist.Split(slices.Concat(plain, bad)); !errors.Is(err, compact.ErrMalformed) || header != nil || got != nil {
			t.Errorf("%s: error is %v, want %v", name, err, compact.ErrMalformed)
		}
	}
}

// What OnDisk makes, Split takes apart again.
func FuzzOnDisk(f *testing.F) {
	list := read(f, "lists/g256")
	f.Add(v3)
	f.Add(read(f, "lists/g256.sig"))
	f.Fuzz(func(t *testing.T, packets []byte) {
		signed, raw, _, hash, err := rpmlist.OnDisk(list, packets)
		if err != nil {
			if signed != nil || raw != nil {
				t.Error("a list came with the error")
			}
			return
		}
		header, tail, err := rpmlist.Split(signed)
		if err != nil || !bytes.Equal(header, list) || len(tail) == 0 {
			t.Errorf("Split: %d and %d bytes, %v", len(header), len(tail), err)
		}
		if len(raw) == 0 || len(raw)%8 != 0 || !hash.Valid() {
			t.Errorf("signature %x of %v", raw, hash)
		}
	})
}
