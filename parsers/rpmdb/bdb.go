package rpmdb

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/knqyf263/go-rpmdb/pkg/bdb"
)

// Layout of a Berkeley DB hash file (libdb 5.3, src/dbinc/db_page.h): pages of one
// size, each with its own number, the first one with the metadata. Hash pages hold
// keys and values in turn; values that are too long for that are a chain of overflow
// pages. Integers, the keys of RPM among them, are in the byte order of the machine
// that made it.
//
// RPM's keys are package numbers. Key 0 holds the highest number given out so far.
const (
	bdbMetaSize = 512

	bdbFreePage = 0
	bdbKeyData  = 1 // H_KEYDATA: an item within the page

	bdbMinVersion = 8 // of hash files: CentOS 5
	bdbMaxVersion = 9 // RHEL 6 to 8
)

// A bdbFile is the state of one pass over a file.
type bdbFile struct {
	window
	order   binary.ByteOrder
	swapped bool
	size    int    // of a page, in bytes
	last    uint32 // number of the last page
	keys    uint32 // number of keys
	used    pageSet
}

// A bdbRecord says where the header of a package is.
type bdbRecord struct {
	number uint32
	page   uint32 // first overflow page, or the hash page that it is on
	start  uint32 // on a hash page
	length uint32
	inline bool // on a hash page
}

// scanBDB emits the headers by package number.
func scanBDB(ctx context.Context, f *file, emit func(Blob) error) error {
	db, err := openBDB(f)
	if err != nil {
		return err
	}
	records, err := db.records(ctx)
	if err != nil {
		return err
	}
	var buf []byte
	for _, r := range records {
		if buf, err = db.value(r, buf[:0]); err != nil {
			return err
		}
		if err := emit(Blob{Number: r.number, Data: buf}); err != nil {
			return err
		}
	}
	return nil
}

func openBDB(f *file) (*bdbFile, error) {
	var raw [bdbMetaSize]byte
	if err := f.readFull(raw[:], 0); err != nil {
		return nil, err
	}
	meta, err := bdb.ParseHashMetadataPage(raw[:])
	if err != nil {
		return nil, damaged(0, "metadata page", "%v", err)
	}
	db := &bdbFile{window: window{file: f}, swapped: meta.Swapped, order: binary.LittleEndian, size: int(meta.PageSize), last: meta.LastPageNo}
	if meta.Swapped {
		db.order = binary.BigEndian
	}
	db.keys = db.order.Uint32(raw[88:]) // go-rpmdb reads this one in little-endian always
	switch {
	case meta.Version < bdbMinVersion || meta.Version > bdbMaxVersion:
		return nil, unsupported(16, "metadata page", "hash version %d, want %d or %d", meta.Version, bdbMinVersion, bdbMaxVersion)
	case meta.MetaFlags != 0 || meta.NParts != 0 || meta.Flags != 0:
		return nil, unsupported(26, "metadata page", "flags %#x and %#x with %d partitions, want none: checksums and duplicates are not RPM's", meta.MetaFlags, meta.Flags, meta.NParts)
	case bits.OnesCount(uint(db.size)) != 1 || db.size < bdbMetaSize || db.size > 65536:
		return nil, damaged(20, "metadata page", "page size %d, want a power of two from %d to 65536", db.size, bdbMetaSize)
	case f.size%int64(db.size) != 0 || (int64(db.last)+1)*int64(db.size) > f.size:
		return nil, damaged(32, "metadata page", "last page %d of %d bytes each, the file has %d bytes", db.last, db.size, f.size)
	case meta.PageNo != 0:
		return nil, damaged(8, "metadata page", "page number %d, want 0", meta.PageNo)
	}
	db.used = newPageSet(db.last)
	return db, nil
}

func (db *bdbFile) offset(page uint32) int64 { return int64(page) * int64(db.size) }

// readPage returns a page and its header after checking its number. A page of zeros,
// allocated and never used, comes back as a free one.
func (db *bdbFile) readPage(n uint32) ([]byte, *bdb.HashPage, error) {
	raw, err := db.page(db.offset(n), db.size)
	if err != nil {
		return nil, nil, err
	}
	head, err := bdb.ParseHashPage(raw[:bdb.PageHeaderSize], db.swapped)
	if err != nil {
		return nil, nil, damaged(db.offset(n), "page", "%v", err)
	}
	if head.PageNo != n && slices.ContainsFunc(raw, func(b byte) bool { return b != 0 }) {
		return nil, nil, damaged(db.offset(n)+8, "page", "number %d, want %d", head.PageNo, n)
	}
	return raw, head, nil
}

// records finds all packages, whatever bucket they are in, sorted by number.
func (db *bdbFile) records(ctx context.Context) ([]bdbRecord, error) {
	var all []bdbRecord
	for n := uint32(1); n <= db.last && n != 0; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		raw, head, err := db.readPage(n)
		if err != nil {
			return nil, err
		}
		switch head.PageType {
		case bdb.HashPageType, bdb.HashUnsortedPageType:
			if all, err = db.pageRecords(all, n, raw, head); err != nil {
				return nil, err
			}
		case bdb.OverflowPageType, bdbFreePage:
		default:
			return nil, damaged(db.offset(n)+25, "page", "type %d, want a hash, overflow or free page", head.PageType)
		}
	}
	if uint64(len(all)) != uint64(db.keys) {
		return nil, damaged(88, "metadata page", "%d keys, found %d", db.keys, len(all))
	}
	slices.SortFunc(all, func(a, b bdbRecord) int { return cmp.Compare(a.number, b.number) })
	return db.packages(all)
}

// packages checks that each number is there once and takes out the record of key 0.
func (db *bdbFile) packages(all []bdbRecord) ([]bdbRecord, error) {
	for i := 1; i < len(all); i++ {
		if all[i].number == all[i-1].number {
			return nil, damaged(db.offset(all[i].page), "hash page", "package %d is there twice", all[i].number)
		}
	}
	if len(all) == 0 || all[0].number != 0 {
		if len(all) > 0 {
			return nil, damaged(0, "hash pages", "no record of the highest package number")
		}
		return nil, nil
	}
	highest, err := db.value(all[0], nil)
	if err != nil {
		return nil, err
	}
	if !all[0].inline || len(highest) != 4 {
		return nil, damaged(db.offset(all[0].page), "hash page", "highest package number of %d bytes, want 4 within the page", all[0].length)
	}
	if last, most := all[len(all)-1], db.order.Uint32(highest); last.number > most {
		return nil, damaged(db.offset(last.page), "hash page", "package %d, the highest number is %d", last.number, most)
	}
	return all[1:], nil
}

// pageRecords adds the records of a hash page.
func (db *bdbFile) pageRecords(all []bdbRecord, n uint32, raw []byte, head *bdb.HashPage) ([]bdbRecord, error) {
	items, err := db.items(n, raw, head)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(items); i += 2 {
		key, value := items[i], items[i+1]
		at := db.offset(n) + int64(key.start)
		if k := raw[key.start:key.end]; len(k) != 5 || k[0] != bdbKeyData {
			return nil, damaged(at, "hash page", "key of type %d and %d bytes, want a package number", k[0], len(k))
		}
		r := bdbRecord{number: db.order.Uint32(raw[key.start+1:])}
		switch v := raw[value.start:value.end]; {
		case v[0] == bdbKeyData:
			r.page, r.start, r.length, r.inline = n, uint32(value.start)+1, uint32(len(v)-1), true
		case v[0] == bdb.HashOffIndexPageType && len(v) == bdb.HashOffPageSize:
			off, err := bdb.ParseHashOffPageEntry(v, db.swapped)
			if err != nil {
				return nil, damaged(at, "hash page", "%v", err)
			}
			r.page, r.length = off.PageNo, off.Length
		default:
			return nil, damaged(at, "hash page", "package %d: value of type %d and %d bytes", r.number, v[0], len(v))
		}
		all = append(all, r)
	}
	return all, nil
}

type bdbItem struct{ start, end int }

// items returns the items of a hash page: they fill it from its end down, without
// gaps, each one up to where the one before it starts.
func (db *bdbFile) items(n uint32, raw []byte, head *bdb.HashPage) ([]bdbItem, error) {
	count := int(head.NumEntries)
	index := bdb.PageHeaderSize + count*bdb.HashIndexEntrySize
	if count%2 != 0 || index > db.size {
		return nil, damaged(db.offset(n)+20, "hash page", "%d items, want pairs that fit into %d bytes", count, db.size)
	}
	items, end := make([]bdbItem, count), db.size
	for i := range items {
		at := bdb.PageHeaderSize + i*bdb.HashIndexEntrySize
		start := int(db.order.Uint16(raw[at:]))
		if start < index || start >= end {
			return nil, damaged(db.offset(n)+int64(at), "hash page", "item at %d, want it from %d to %d", start, index, end-1)
		}
		items[i] = bdbItem{start, end}
		end = start
	}
	if high := int(head.FreeAreaOffset); count > 0 && high != end {
		return nil, damaged(db.offset(n)+22, "hash page", "items start at %d, the last one at %d", high, end)
	}
	return items, nil
}

// value appends the value of a record to buf.
func (db *bdbFile) value(r bdbRecord, buf []byte) ([]byte, error) {
	if r.inline {
		raw, _, err := db.readPage(r.page)
		if err != nil {
			return nil, err
		}
		return append(buf, raw[r.start:r.start+r.length]...), nil
	}
	if int64(r.length) > db.file.size || r.length > maxHeader {
		return nil, damaged(db.offset(r.page), "overflow page", "package %d of %d bytes in a file of %d", r.number, r.length, db.file.size)
	}
	buf = slices.Grow(buf, int(r.length))
	for n, before := r.page, uint32(0); n != 0; {
		data, next, err := db.overflow(n, before)
		if err != nil {
			return nil, err
		}
		if len(buf)+len(data) > int(r.length) {
			return nil, damaged(db.offset(n), "overflow page", "package %d goes on after %d bytes", r.number, r.length)
		}
		buf, before, n = append(buf, data...), n, next
	}
	if len(buf) != int(r.length) {
		return nil, damaged(db.offset(r.page), "overflow page", "package %d ends after %d of %d bytes", r.number, len(buf), r.length)
	}
	return buf, nil
}

// overflow returns what is on an overflow page and the page after it. Every page may
// be used once, so that a chain that runs into itself or another one ends there.
func (db *bdbFile) overflow(n, before uint32) (data []byte, next uint32, err error) {
	if n > db.last {
		return nil, 0, damaged(db.offset(before), "overflow page", "continues on page %d, the last one is %d", n, db.last)
	}
	raw, head, err := db.readPage(n)
	if err != nil {
		return nil, 0, err
	}
	at := db.offset(n)
	switch end := bdb.PageHeaderSize + int(head.FreeAreaOffset); {
	case head.PageType != bdb.OverflowPageType:
		return nil, 0, damaged(at+25, "overflow page", "page %d is of type %d, want %d", n, head.PageType, bdb.OverflowPageType)
	case !db.used.add(n):
		return nil, 0, damaged(at, "overflow page", "page %d is in two chains, or twice in one", n)
	case head.PreviousPageNo != before:
		return nil, 0, damaged(at+12, "overflow page", "page %d follows page %d, its own link says %d", n, before, head.PreviousPageNo)
	case end > db.size:
		return nil, 0, damaged(at+22, "overflow page", "%d bytes on a page of %d", head.FreeAreaOffset, db.size)
	default:
		return raw[bdb.PageHeaderSize:end], head.NextPageNo, nil
	}
}
