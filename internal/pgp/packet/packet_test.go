package packet_test

import (
	"bytes"
	"errors"
	"testing"

	"digestlists/compact"
	"digestlists/internal/pgp/packet"
)

// Each way to write a length (RFC 4880 section 4.2), and what comes after the packet.
func TestLengths(t *testing.T) {
	for name, c := range map[string]struct {
		head []byte
		size int
	}{
		"old, 1 byte":  {[]byte{0x88, 255}, 255},
		"old, 2 bytes": {[]byte{0x89, 1, 0}, 256},
		"old, 4 bytes": {[]byte{0x8a, 0, 1, 0, 0}, 65536},
		"new, 1 byte":  {[]byte{0xc2, 191}, 191},
		"new, 2 bytes": {[]byte{0xc2, 192, 0}, 192},
		"the largest":  {[]byte{0xc2, 223, 255}, 8383},
		"new, 5 bytes": {[]byte{0xc2, 255, 0, 0, 0x20, 0xc0}, 8384},
	} {
		content := bytes.Repeat([]byte{7}, c.size)
		in := packet.NewReader(bytes.Join([][]byte{c.head, content, []byte("rest")}, nil))
		body, err := packet.Next(in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if body.At() != len(c.head) || !bytes.Equal(body.Next(c.size), content) || body.Left() != 0 || string(in.Next(4)) != "rest" {
			t.Errorf("%s: body of %d bytes at %d", name, body.Left(), len(c.head))
		}
		cut := packet.NewReader(append(c.head, content[1:]...))
		if _, err := packet.Next(cut); !errors.Is(err, compact.ErrTruncated) {
			t.Errorf("%s, a byte short: %v", name, err)
		}
	}
}

// RFC 4880 section 5.2.3.1: what would be a partial length of a packet is one of 2 bytes.
func TestSubpackets(t *testing.T) {
	const size = (250-192)<<8 + 215 + 192 - 1
	area := bytes.Join([][]byte{{2, 0x90, 1}, {250, 215, 5}, bytes.Repeat([]byte{9}, size), {1, 3}, {9, 1}}, nil)
	in := packet.NewReader(area)
	for _, want := range []struct {
		kind byte
		size int
	}{{0x90, 1}, {5, size}, {3, 0}} {
		kind, body := packet.Subpacket(in)
		if kind != want.kind || body.Left() != want.size || body.Failed() {
			t.Fatalf("type %#x with %d bytes, want %#x with %d", kind, body.Left(), want.kind, want.size)
		}
	}
	if _, body := packet.Subpacket(in); !body.Failed() || !in.Failed() {
		t.Error("a subpacket that is longer than what is left")
	}
}
