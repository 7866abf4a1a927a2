package rpmdb

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A tree reads a table of a SQLite file (https://www.sqlite.org/fileformat2.html,
// sections 1.3, 1.5, 1.6 and 2.1), whose integers are big-endian.
type tree struct {
	*file
	pageSize int
	usable   int    // bytes of a page that SQLite uses
	pages    uint32 // in the file
	used     pageSet
	found    []cell
}

// A cell says where the header of a package is.
type cell struct {
	number   uint32
	length   uint32 // of the header, in bytes
	start    int64  // offset in the file of the part of it on the leaf page
	local    int    // bytes of that part
	overflow uint32 // first page of the rest, 0 for none
}

const (
	leafPage     = 0x0d
	interiorPage = 0x05

	// maxDepth of a tree: SQLite's BTCURSOR_MAX_DEPTH.
	maxDepth = 20
)

func openTree(f *file) (*tree, error) {
	var head [100]byte
	if err := f.readFull(head[:], 0); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = 65536
	}
	if bits.OnesCount(uint(size)) != 1 || size < 512 {
		return nil, damaged(16, "page size", "%d, want a power of two from 512 to 65536", size)
	}
	usable := size - int(head[20])
	if usable < 480 {
		return nil, damaged(20, "reserved bytes", "%d of a page of %d", head[20], size)
	}
	pages := uint32(min(f.size/int64(size), 1<<32-2))
	stated := binary.BigEndian.Uint32(head[28:])
	if valid := string(head[24:28]) == string(head[92:96]); valid && stated > pages {
		return nil, damaged(28, "pages", "%d of %d bytes, the file has %d bytes", stated, size, f.size)
	}
	return &tree{file: f, pageSize: size, usable: usable, pages: pages, used: newPageSet(pages)}, nil
}

// take returns a page, which nothing else may use.
func (t *tree) take(n uint32, from string) ([]byte, error) {
	if n == 0 || n > t.pages {
		return nil, damaged(0, from, "page %d, want one from 1 to %d", n, t.pages)
	}
	if !t.used.add(n) {
		return nil, damaged(t.offset(n), from, "page %d is used twice", n)
	}
	return t.page(t.offset(n), t.pageSize)
}

func (t *tree) offset(n uint32) int64 { return int64(n-1) * int64(t.pageSize) }

// cells returns the rows of the table whose first page is root, by number.
func (t *tree) cells(root uint32) ([]cell, error) {
	if err := t.walk(root, maxDepth); err != nil {
		return nil, err
	}
	return t.found, nil
}

func (t *tree) walk(n uint32, depth int) error {
	raw, err := t.take(n, "table")
	if err != nil {
		return err
	}
	at := 0
	if n == 1 {
		at = 100 // after the header of the file
	}
	switch raw[at] {
	case leafPage:
		return t.leaf(n, raw, at)
	case interiorPage:
		if depth == 0 {
			return damaged(t.offset(n), "table", "deeper than %d pages", maxDepth)
		}
		return t.interior(n, raw, at, depth)
	default:
		return damaged(t.offset(n)+int64(at), "table", "page of type %d, want %d or %d", raw[at], leafPage, interiorPage)
	}
}

// pointers returns the offsets on the page of its cells.
func (t *tree) pointers(n uint32, raw []byte, at, header int) ([]int, error) {
	count := int(binary.BigEndian.Uint16(raw[at+3:]))
	start := at + header
	if start+2*count > t.usable {
		return nil, damaged(t.offset(n)+int64(at)+3, "table", "%d cells on a page of %d bytes", count, t.usable)
	}
	all := make([]int, count)
	for i := range all {
		all[i] = int(binary.BigEndian.Uint16(raw[start+2*i:]))
		if all[i] < start+2*count || all[i] > t.usable-4 {
			return nil, damaged(t.offset(n)+int64(start+2*i), "table", "cell at %d, want it from %d to %d", all[i], start+2*count, t.usable-4)
		}
	}
	return all, nil
}

func (t *tree) interior(n uint32, raw []byte, at, depth int) error {
	all, err := t.pointers(n, raw, at, 12)
	if err != nil {
		return err
	}
	type child struct {
		page uint32
		last uint64 // no number below it is higher
	}
	children := make([]child, 0, len(all)+1)
	for _, p := range all { // before the pages below replace raw
		last, size := varint(raw[p+4 : t.usable])
		if size == 0 {
			return damaged(t.offset(n)+int64(p), "table", "cell runs over the end of the page")
		}
		children = append(children, child{binary.BigEndian.Uint32(raw[p:]), last})
	}
	children = append(children, child{binary.BigEndian.Uint32(raw[at+8:]), 1<<63 - 1})
	for _, c := range children {
		if err := t.walk(c.page, depth-1); err != nil {
			return err
		}
		if k := len(t.found); k > 0 && uint64(t.found[k-1].number) > c.last {
			return damaged(t.offset(n), "table", "package %d on a page of those up to %d", t.found[k-1].number, c.last)
		}
	}
	return nil
}

func (t *tree) leaf(n uint32, raw []byte, at int) error {
	all, err := t.pointers(n, raw, at, 8)
	if err != nil {
		return err
	}
	for _, p := range all {
		c, err := t.cell(n, raw, p)
		if err != nil {
			return err
		}
		if k := len(t.found); k > 0 && t.found[k-1].number >= c.number {
			return damaged(t.offset(n)+int64(p), "table", "package %d after %d", c.number, t.found[k-1].number)
		}
		t.found = append(t.found, c)
	}
	return nil
}

// cell reads a row: payload length, package number, and the payload, a record of
// NULL, in place of the number, and the blob. What does not fit is on overflow pages.
func (t *tree) cell(n uint32, raw []byte, p int) (cell, error) {
	fail := func(format string, args ...any) (cell, error) {
		return cell{}, damaged(t.offset(n)+int64(p), "row", format, args...)
	}
	payload, size := varint(raw[p:t.usable])
	if size == 0 {
		return fail("runs over the end of the page")
	}
	start := p + size
	number, size := varint(raw[start:t.usable])
	if size == 0 {
		return fail("runs over the end of the page")
	}
	start += size
	if number == 0 || number > 1<<32-1 {
		return fail("package number %d", number)
	}
	if payload > uint64(t.file.size) || payload > maxHeader {
		return fail("package %d of %d bytes in a file of %d", number, payload, t.file.size)
	}
	local := t.local(int(payload))
	end := start + local
	c := cell{number: uint32(number)}
	if local < int(payload) {
		if end+4 > t.usable {
			return fail("package %d runs over the end of the page", number)
		}
		c.overflow = binary.BigEndian.Uint32(raw[end:])
	}
	if end > t.usable {
		return fail("package %d runs over the end of the page", number)
	}
	length, size := record(raw[start:end])
	if size == 0 || uint64(length)+uint64(size) != payload {
		return fail("package %d: %d bytes are not a record of NULL and a blob", number, payload)
	}
	c.length, c.start, c.local = length, t.offset(n)+int64(start+size), local-size
	return c, nil
}

// local returns how much of a payload is on the leaf page (section 1.6).
func (t *tree) local(payload int) int {
	most, least := t.usable-35, (t.usable-12)*32/255-23
	if payload <= most {
		return payload
	}
	if k := least + (payload-least)%(t.usable-4); k <= most {
		return k
	}
	return least
}

// record reads the header of a record of NULL and a blob. It returns the length of
// the blob and of the header, 0 if it is anything else.
func record(payload []byte) (length uint32, size int) {
	const typeNull, typeBlob = 0, 12 // a blob of n bytes is 12 + 2n
	header, a := varint(payload)
	null, b := varint(payload[a:])
	blob, c := varint(payload[a+b:])
	size = a + b + c
	if a == 0 || b == 0 || c == 0 || header != uint64(size) || null != typeNull || blob < typeBlob || blob%2 != 0 || (blob-typeBlob)/2 > maxHeader {
		return 0, 0
	}
	return uint32((blob - typeBlob) / 2), size
}

// blob appends the header of a row to buf.
func (t *tree) blob(c cell, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf, int(c.length))
	first, err := t.page(c.start, c.local)
	if err != nil {
		return nil, err
	}
	buf = append(buf, first...)
	next := c.overflow
	for rest := int(c.length) - c.local; rest > 0; rest = int(c.length) - len(buf) {
		raw, err := t.take(next, "overflow page")
		if err != nil {
			return nil, err
		}
		buf = append(buf, raw[4:4+min(rest, t.usable-4)]...)
		next = binary.BigEndian.Uint32(raw)
	}
	if next != 0 {
		return nil, damaged(c.start, "overflow page", "package %d goes on after %d bytes", c.number, c.length)
	}
	return buf, nil
}

// varint reads a variable-length integer: up to eight bytes of seven bits, high ones
// first, each with the top bit set if another one follows, and a ninth of eight bits.
// size is 0 if b ends within it.
func varint(b []byte) (v uint64, size int) {
	for i, x := range b[:min(len(b), 9)] {
		if i == 8 {
			return v<<8 | uint64(x), 9
		}
		v = v<<7 | uint64(x&0x7f)
		if x&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
