package rpmdb

import (
	"context"
	"math"
	"slices"
)

// A cell says where the header of a package is.
type cell struct {
	number   uint32
	length   uint32 // of the header, in bytes
	start    int64  // offset in the file of the part of it on the leaf page
	local    int    // bytes of that part
	overflow uint32 // first page of the rest, 0 for none
}

// maxDepth of a tree: SQLite's BTCURSOR_MAX_DEPTH.
const maxDepth = 20

// packages checks the tables of packages and of their names, and returns the rows of the
// former, by number, whose overflow pages are still to be read.
//
// The index of names has each package once. A row that was lost from a page of either
// table makes a difference.
func (p *pages) packages(ctx context.Context, s *schema) ([]cell, error) {
	names := &walk{pages: p, ctx: ctx}
	if err := names.tree(s.names); err != nil {
		return nil, err
	}
	packages := &walk{pages: p, ctx: ctx, keep: true}
	if err := packages.tree(s.packages); err != nil {
		return nil, err
	}
	if packages.rows != names.rows || packages.rows != len(packages.found) {
		return nil, damaged(p.offset(s.packages), "table", "%d packages, the index of names has %d", packages.rows, names.rows)
	}
	return packages.found, nil
}

// trees checks trees whose rows are of no interest.
func (p *pages) trees(ctx context.Context, roots []uint32) error {
	for _, root := range roots {
		if err := (&walk{pages: p, ctx: ctx}).tree(root); err != nil {
			return err
		}
	}
	return nil
}

// A walk visits the pages of one tree, in the order of its keys.
type walk struct {
	*pages
	ctx  context.Context
	keep bool // find the cells of packages, and leave their overflow pages

	rows  int // in leaves
	last  int64
	found []cell
}

func (w *walk) tree(root uint32) error {
	w.last = math.MinInt64
	n, err := w.node(root, 0)
	if err != nil {
		return err
	}
	return w.visit(n, n.table(), maxDepth)
}

func (w *walk) visit(n *node, table bool, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if n.table() != table {
		return damaged(n.offset, "table", "page of kind %d among those of another kind of tree", n.kind)
	}
	if !n.interior() {
		return w.leaf(n)
	}
	if depth == 0 {
		return damaged(n.offset, "table", "deeper than %d pages", maxDepth)
	}
	children, err := w.children(n)
	if err != nil {
		return err
	}
	for _, c := range children {
		child, err := w.node(c.page, n.offset)
		if err != nil {
			return err
		}
		if err := w.visit(child, table, depth-1); err != nil {
			return err
		}
		if table && w.last > c.last {
			return damaged(n.offset, "table", "row %d on a page of those up to %d", w.last, c.last)
		}
	}
	return nil
}

// A child is a page below another one.
type child struct {
	page uint32
	last int64 // in tables: no row below it has a higher number
}

// children reads all of an interior page: what is below it replaces it in memory.
func (w *walk) children(n *node) ([]child, error) {
	all := make([]child, 0, n.cells+1)
	var long []payload
	sum := n.free
	for i := range n.cells {
		at, err := w.cell(n, i)
		if err != nil {
			return nil, err
		}
		number, size := varint(n.raw[at+4 : w.usable])
		if size == 0 {
			return nil, w.runsOver(n, at)
		}
		c, end := child{page: be32(n.raw[at:])}, at+4+size
		if n.table() {
			c.last = int64(number)
		} else {
			l, err := w.payload(n, end, number)
			if err != nil {
				return nil, err
			}
			end, long = l.end(), append(long, l)
		}
		sum += max(end-at, minCell)
		all = append(all, c)
	}
	all = append(all, child{be32(n.raw[n.start+8:]), math.MaxInt64})
	if err := w.full(n, sum); err != nil {
		return nil, err
	}
	return all, w.rest(n, long)
}

// leaf reads a page of rows: of tables, the length of the payload, the number of the
// row and the payload, and of indexes the first and the last.
func (w *walk) leaf(n *node) error {
	var long []payload
	sum := n.free
	for i := range n.cells {
		at, err := w.cell(n, i)
		if err != nil {
			return err
		}
		length, size := varint(n.raw[at:w.usable])
		if size == 0 {
			return w.runsOver(n, at)
		}
		start, number := at+size, uint64(0)
		if n.table() {
			if number, size = varint(n.raw[start:w.usable]); size == 0 {
				return w.runsOver(n, at)
			}
			if start += size; int64(number) <= w.last {
				return damaged(n.offset+int64(at), "table", "row %d after %d", int64(number), w.last)
			}
			w.last = int64(number)
		}
		l, err := w.payload(n, start, length)
		if err != nil {
			return err
		}
		if w.keep {
			c, err := w.header(n, l, number)
			if err != nil {
				return err
			}
			w.found = append(w.found, c)
		} else if l.overflow != 0 {
			long = append(long, l)
		}
		sum += max(l.end()-at, minCell)
	}
	w.rows += n.cells
	if err := w.full(n, sum); err != nil {
		return err
	}
	return w.rest(n, long)
}

func (w *walk) runsOver(n *node, at int) error {
	return damaged(n.offset+int64(at), "table", "cell runs over the end of the page")
}

// minCell bytes are set aside for a cell at least.
const minCell = 4

// full checks that the cells and what is free make up the page. A cell that was lost,
// or is there twice, leaves too much or too little.
func (w *walk) full(n *node, sum int) error {
	if have, want := n.pointers+2*n.cells+sum, w.usable; have != want {
		return damaged(n.offset, "table", "%d cells and what is free make up %d bytes of a page of %d", n.cells, have, want)
	}
	return nil
}

// rest follows what did not fit on a page.
func (w *walk) rest(n *node, long []payload) error {
	for _, l := range long {
		if err := w.overflow(l.overflow, int(l.size)-l.local, n.offset, func([]byte) {}); err != nil {
			return err
		}
	}
	return nil
}

// header reads a row of the table of packages: a record of NULL, in place of the
// number, and the header.
func (w *walk) header(n *node, l payload, number uint64) (cell, error) {
	at := n.offset + int64(l.start)
	if number == 0 || number > math.MaxUint32 {
		return cell{}, damaged(at, "row", "package number %d", int64(number))
	}
	length, size := record(n.raw[l.start : l.start+l.local])
	if size == 0 || uint64(length)+uint64(size) != l.size {
		return cell{}, damaged(at, "row", "package %d: %d bytes are not a record of NULL and a blob", number, l.size)
	}
	return cell{uint32(number), length, at + int64(size), l.local - size, l.overflow}, nil
}

// record reads the head of a record of NULL and a blob (section 2.1): its length and
// the types of the values. It returns the length of the blob and of the head, 0 if the
// record is another one.
func record(data []byte) (length uint32, size int) {
	const typeNull, typeBlob = 0, 12 // a blob of n bytes is 12 + 2n
	head, a := varint(data)
	null, b := varint(data[a:])
	blob, c := varint(data[a+b:])
	size = a + b + c
	if a == 0 || b == 0 || c == 0 || head != uint64(size) || null != typeNull || blob < typeBlob || blob%2 != 0 || (blob-typeBlob)/2 > maxHeader {
		return 0, 0
	}
	return uint32((blob - typeBlob) / 2), size
}

// blob appends the header of a row to buf.
func (p *pages) blob(c cell, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf, int(c.length))
	first, err := p.nodes.page(c.start, c.local)
	if err != nil {
		return nil, err
	}
	buf = append(buf, first...)
	err = p.overflow(c.overflow, int(c.length)-c.local, c.start, func(part []byte) { buf = append(buf, part...) })
	return buf, err
}
