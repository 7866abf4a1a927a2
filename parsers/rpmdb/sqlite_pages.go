package rpmdb

import (
	"encoding/binary"
	"math/bits"
)

// The structure of a SQLite file: https://www.sqlite.org/fileformat2.html, sections
// 1.3, 1.5, 1.6. Its integers are big-endian.
const (
	schemaRoot = 1 // first page of the schema itself, after the header of the file

	fileHeaderSize = 100

	indexInterior = 0x02
	tableInterior = 0x05
	indexLeaf     = 0x0a
	tableLeaf     = 0x0d

	// minUsable bytes are on a page at least (section 1.3.4).
	minUsable = 480

	// lockByte is in a page that is never used.
	lockByte = 1 << 30
)

// pages reads the pages of a SQLite file, each one for one purpose only.
type pages struct {
	*file
	nodes    window // of trees
	chains   window // of overflow pages
	pageSize int
	usable   int    // bytes of a page that SQLite uses
	count    uint32 // of pages
	used     pageSet
	vacuum   bool // some pages say what others are for: not with RPM
}

func openPages(f *file) (*pages, error) {
	var head [fileHeaderSize]byte
	if err := f.readFull(head[:], 0); err != nil {
		return nil, err
	}
	size := int(be16(head[16:]))
	if size == 1 {
		size = 65536
	}
	if bits.OnesCount(uint(size)) != 1 || size < 512 {
		return nil, damaged(16, "page size", "%d, want a power of two from 512 to 65536", size)
	}
	usable := size - int(head[20])
	if usable < minUsable {
		return nil, damaged(20, "reserved bytes", "%d of a page of %d", head[20], size)
	}
	count := uint32(min(f.size/int64(size), 1<<32-2))
	if stated := be32(head[28:]); string(head[24:28]) == string(head[92:96]) && stated > 0 {
		if stated > count {
			return nil, damaged(28, "pages", "%d of %d bytes, the file has %d bytes", stated, size, f.size)
		}
		count = stated
	}
	p := &pages{
		file: f, nodes: window{file: f}, chains: window{file: f}, pageSize: size, usable: usable, count: count, used: newPageSet(count), vacuum: be32(head[52:]) != 0,
	}
	return p, p.takeFree(be32(head[32:]), be32(head[36:]))
}

// again returns the same pages for another goroutine: each page is still for one
// purpose only.
func (p *pages) again() *pages {
	q := *p
	q.nodes, q.chains = window{file: p.file}, window{file: p.file}
	return &q
}

func (p *pages) offset(n uint32) int64 { return int64(n-1) * int64(p.pageSize) }

// reserve marks a page as used, by what is at an offset.
func (p *pages) reserve(n uint32, by int64, field string) error {
	if n == 0 || n > p.count {
		return damaged(by, field, "page %d, want one from 1 to %d", n, p.count)
	}
	if !p.used.add(n) {
		return damaged(by, field, "page %d is used twice", n)
	}
	return nil
}

// take returns a page that was not used yet.
func (p *pages) take(n uint32, by int64, field string, from *window) ([]byte, error) {
	if err := p.reserve(n, by, field); err != nil {
		return nil, err
	}
	return from.page(p.offset(n), p.pageSize)
}

// takeFree marks the free pages: a chain of pages with the next one, the number of
// others and those.
func (p *pages) takeFree(trunk, count uint32) error {
	const field = "free pages"
	found, by := uint32(0), int64(32)
	for trunk != 0 {
		raw, err := p.take(trunk, by, field, &p.chains)
		if err != nil {
			return err
		}
		by = p.offset(trunk)
		trunk = be32(raw)
		leaves := be32(raw[4:])
		if leaves > uint32(p.usable/4-2) {
			return damaged(by+4, field, "%d on a page of %d bytes", leaves, p.usable)
		}
		for i := range leaves {
			if err := p.reserve(be32(raw[8+4*i:]), by+8+4*int64(i), field); err != nil {
				return err
			}
		}
		found += 1 + leaves
	}
	if found != count {
		return damaged(36, field, "%d, found %d", count, found)
	}
	return nil
}

// checkUnused checks that all pages were used for something: one that was not holds
// what is missing elsewhere.
func (p *pages) checkUnused() error {
	lock := uint32(lockByte/p.pageSize) + 1
	for n := uint32(1); n <= p.count && !p.vacuum; n++ {
		if !p.used.has(n) && n != lock {
			return damaged(p.offset(n), "page", "page %d is used for nothing", n)
		}
	}
	return nil
}

// A node is a page of a tree.
type node struct {
	page     uint32
	raw      []byte
	start    int // of the node in the page
	kind     byte
	cells    int   // number of cells
	pointers int   // where the offsets of the cells are
	content  int   // where the cells start
	free     int   // bytes that are in no cell
	offset   int64 // of the page in the file
}

func (n *node) table() bool    { return n.kind == tableLeaf || n.kind == tableInterior }
func (n *node) interior() bool { return n.kind == tableInterior || n.kind == indexInterior }

// node reads the header of a tree's page: kind, first free block, number of cells,
// start of the cells, bytes in gaps too small for a block, and, of interior ones, the
// last child. by is the page that led to it.
func (p *pages) node(page uint32, by int64) (*node, error) {
	raw, err := p.take(page, by, "table", &p.nodes)
	if err != nil {
		return nil, err
	}
	n := &node{page: page, raw: raw, offset: p.offset(page)}
	if page == schemaRoot {
		n.start = fileHeaderSize
	}
	head := raw[n.start:]
	n.kind, n.cells, n.content = head[0], int(be16(head[3:])), int(be16(head[5:]))
	if n.content == 0 {
		n.content = 65536
	}
	switch n.kind {
	case tableLeaf, indexLeaf:
		n.pointers = n.start + 8
	case tableInterior, indexInterior:
		n.pointers = n.start + 12
	default:
		return nil, damaged(n.offset+int64(n.start), "table", "page of kind %d", n.kind)
	}
	gap := n.content - n.pointers - 2*n.cells
	if gap < 0 || n.content > p.usable {
		return nil, damaged(n.offset+int64(n.start)+3, "table", "%d cells from byte %d of a page of %d", n.cells, n.content, p.usable)
	}
	blocks, err := p.freeBlocks(n, int(be16(head[1:])))
	n.free = gap + blocks + int(head[7])
	return n, err
}

// freeBlocks returns the bytes in the chain of free blocks, which is in order.
func (p *pages) freeBlocks(n *node, at int) (size int, err error) {
	for from := n.content; at != 0; {
		if at < from || at > p.usable-4 {
			return 0, damaged(n.offset+int64(at), "table", "free block at %d, want it from %d to %d", at, from, p.usable-4)
		}
		here := int(be16(n.raw[at+2:]))
		size += here
		from, at = at+max(here, 4), int(be16(n.raw[at:]))
		if from > p.usable {
			return 0, damaged(n.offset+int64(at), "table", "free block of %d bytes runs over the end of the page", here)
		}
	}
	return size, nil
}

// cell returns the offset of a cell on its page.
func (p *pages) cell(n *node, i int) (int, error) {
	at := n.pointers + 2*i
	offset := int(be16(n.raw[at:]))
	if offset < n.content || offset > p.usable-4 {
		return 0, damaged(n.offset+int64(at), "table", "cell at %d, want it from %d to %d", offset, n.content, p.usable-4)
	}
	return offset, nil
}

// A payload is what a cell holds, of which the end may be on overflow pages.
type payload struct {
	size     uint64 // bytes in all
	start    int    // on the page
	local    int    // bytes on the page
	overflow uint32 // first page of the rest, 0 for none
}

// end returns where the cell ends.
func (l payload) end() int {
	if l.overflow != 0 {
		return l.start + l.local + 4
	}
	return l.start + l.local
}

// payload splits a payload that starts on a page (section 1.6).
func (p *pages) payload(n *node, start int, size uint64) (payload, error) {
	l := payload{size: size, start: start}
	if size > uint64(p.file.size) || size > maxHeader {
		return l, damaged(n.offset+int64(start), "table", "row of %d bytes in a file of %d", size, p.file.size)
	}
	l.local = p.local(n, int(size))
	end := start + l.local
	if l.local < int(size) {
		end += 4
	}
	if end > p.usable {
		return l, damaged(n.offset+int64(start), "table", "row runs over the end of the page")
	}
	if l.local < int(size) {
		if l.overflow = be32(n.raw[end-4:]); l.overflow == 0 {
			return l, damaged(n.offset+int64(end-4), "table", "row without its overflow page")
		}
	}
	return l, nil
}

func (p *pages) local(n *node, size int) int {
	most, least := p.usable-35, (p.usable-12)*32/255-23
	if !n.table() {
		most = (p.usable-12)*64/255 - 23
	}
	if size <= most {
		return size
	}
	if k := least + (size-least)%(p.usable-4); k <= most {
		return k
	}
	return least
}

// overflow calls use with each part of what is on overflow pages.
func (p *pages) overflow(next uint32, rest int, by int64, use func(part []byte)) error {
	for ; rest > 0; rest -= p.usable - 4 {
		raw, err := p.take(next, by, "overflow page", &p.chains)
		if err != nil {
			return err
		}
		use(raw[4 : 4+min(rest, p.usable-4)])
		by, next = p.offset(next), be32(raw)
	}
	if next != 0 {
		return damaged(by, "overflow page", "goes on after the end, on page %d", next)
	}
	return nil
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

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
