package rpmhdr

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"digestlists/compact"
)

// Magic comes before a header in files, and is part of what is hashed and signed.
var Magic = [8]byte{0x8e, 0xad, 0xe8, 0x01}

// The limits of librpm: hdrchkTags and headerMaxbytes.
const (
	MaxEntries = 0xffff
	MaxData    = 256 << 20 // bytes
)

const (
	introSize   = 8  // the two counts
	entrySize   = 16 // an index entry, and the trailer of a region
	firstNormal = 100
)

// Size returns the length in bytes of the blob that starts with these eight
// bytes, if the counts in them are within the limits of RPM. offset is where they
// lie, for the error.
func Size(intro [8]byte, offset int64) (int, error) {
	entries, data, err := readIntro(intro[:], offset)
	if err != nil {
		return 0, err
	}
	return introSize + entries*entrySize + data, nil
}

// A Header is a decoded blob. It refers to the blob, which must not change.
type Header struct {
	blob   []byte
	offset int64 // of blob in the caller's input, for errors
	data   []byte
	index  []entry
	region int // index entries of the region, or all of them if there is none
}

// An entry is one checked row of the index. The data of the value lie within
// Header.data[start:end]; alignment and the room before the next value are
// included.
type entry struct {
	tag        Tag
	kind       kind
	start, end uint32
	count      uint32
}

// Parse decodes a blob. The blob must end where the header does.
func Parse(blob []byte) (*Header, error) { return ParseAt(blob, 0) }

// ParseAt is Parse for a blob that lies at that offset of a file: errors then
// give the offset in the file.
func ParseAt(blob []byte, offset int64) (*Header, error) {
	entries, size, err := readIntro(blob, offset)
	if err != nil {
		return nil, err
	}
	h := &Header{blob: blob, offset: offset}
	want := introSize + entries*entrySize + size
	switch {
	case len(blob) < want:
		return nil, fail(h.offset, "header", compact.ErrTruncated, "%d bytes, want %d", len(blob), want)
	case len(blob) > want:
		return nil, fail(h.offset+int64(want), "header", compact.ErrMalformed, "%d bytes after its end", len(blob)-want)
	}
	h.data = blob[introSize+entries*entrySize:]
	if err := h.readIndex(entries); err != nil {
		return nil, err
	}
	return h, nil
}

func readIntro(blob []byte, offset int64) (entries, data int, err error) {
	if len(blob) < introSize {
		return 0, 0, fail(offset, "header", compact.ErrTruncated, "%d bytes, want at least %d", len(blob), introSize)
	}
	n, size := binary.BigEndian.Uint32(blob), binary.BigEndian.Uint32(blob[4:])
	switch {
	case n == 0:
		return 0, 0, fail(offset, "index count", compact.ErrMalformed, "0 entries, want at least 1")
	case n > MaxEntries:
		return 0, 0, fail(offset, "index count", compact.ErrTooLarge, "%d entries, want at most %d", n, MaxEntries)
	case size > MaxData:
		return 0, 0, fail(offset+4, "data size", compact.ErrTooLarge, "%d bytes, want at most %d", size, MaxData)
	}
	return int(n), int(size), nil
}

// readIndex decodes and checks the index.
func (h *Header) readIndex(entries int) error {
	h.index = make([]entry, entries)
	for i := range h.index {
		h.index[i] = h.rawEntry(i)
	}
	regionEnd, err := h.readRegion()
	if err != nil {
		return err
	}
	if regionEnd == 0 {
		if err := h.checkPart(0, entries, 0, uint32(len(h.data))); err != nil {
			return err
		}
		return h.checkUnique()
	}
	if h.region == entries && int(regionEnd) != len(h.data) {
		return h.failEntry(0, compact.ErrMalformed, "%d bytes of data after the region, which nothing names", len(h.data)-int(regionEnd))
	}
	if err := h.checkPart(h.region, entries, regionEnd, uint32(len(h.data))); err != nil {
		return err
	}
	if err := h.checkPart(1, h.region, 0, regionEnd-entrySize); err != nil {
		return err
	}
	return h.checkUnique()
}

// checkPart checks that the values of index[from:to] fill data[start:end] in the
// order of the index, without overlapping, so that each byte is looked at once
// however many entries claim it.
func (h *Header) checkPart(from, to int, start, end uint32) error {
	align := uint32(1) // of the value that comes after: the trailer, or none
	for i := to - 1; i >= from; i-- {
		if h.index[i].tag < firstNormal {
			return h.failEntry(i, compact.ErrMalformed, "a region tag, which only the first may be")
		}
		if err := h.checkEntry(i, start, end, align); err != nil {
			return err
		}
		end, align = h.index[i].start, h.index[i].kind.align()
	}
	return nil
}

func (h *Header) rawEntry(i int) entry {
	raw := h.blob[introSize+i*entrySize:][:entrySize]
	return entry{
		tag:   Tag(binary.BigEndian.Uint32(raw)),
		kind:  kind(binary.BigEndian.Uint32(raw[4:])),
		start: binary.BigEndian.Uint32(raw[8:]),
		count: binary.BigEndian.Uint32(raw[12:]),
	}
}

// checkEntry checks that a value starts in data[start:end] and goes up to end,
// less what the alignment of the next one leaves.
func (h *Header) checkEntry(i int, start, end, align uint32) error {
	e := &h.index[i]
	if !e.kind.valid() {
		return h.failEntry(i, compact.ErrMalformed, "%v, want 1 to 9", e.kind)
	}
	if e.start < start || e.start > end {
		return h.failEntry(i, compact.ErrMalformed, "offset %d, want %d to %d", int32(e.start), start, end)
	}
	if e.start%e.kind.align() != 0 {
		return h.failEntry(i, compact.ErrMalformed, "offset %d of type %v is not aligned", e.start, e.kind)
	}
	if e.count == 0 || (e.kind == kindString && e.count != 1) {
		return h.failEntry(i, compact.ErrMalformed, "%d values of type %v", e.count, e.kind)
	}
	e.end = end
	room := h.data[e.start:end]
	ok, left := e.fill(room)
	if !ok || left < 0 || left >= int64(align) {
		return h.failEntry(i, compact.ErrMalformed, "%d values of type %v do not fill the %d bytes up to the next", e.count, e.kind, len(room))
	}
	return nil
}

// fill returns how many bytes of room are left after the values of an entry,
// negative if it is too small. ok is false if they do not end there.
func (e *entry) fill(room []byte) (ok bool, left int64) {
	if !e.kind.text() {
		return true, int64(len(room)) - int64(e.count)*int64(kindSizes[e.kind])
	}
	// A NUL for each string and, as far as anything is left, nothing but zeros:
	// counting them finds where the last string ends without looking for each.
	left = int64(bytes.Count(room, []byte{0})) - int64(e.count)
	if left < 0 || left > maxPadding {
		return false, left
	}
	end := room[int64(len(room))-left-1:]
	return bytes.Equal(end, zeros[:len(end)]), left
}

const maxPadding = 7

var zeros [maxPadding + 1]byte

// checkUnique refuses a tag that comes twice in the region, or twice after it:
// which of the two counts would be a matter of the reader.
func (h *Header) checkUnique() error {
	for _, part := range [][]entry{h.index[:h.region], h.index[h.region:]} {
		byTag := func(a, b entry) int { return int(int64(a.tag) - int64(b.tag)) }
		if !slices.IsSortedFunc(part, byTag) {
			part = slices.Clone(part)
			slices.SortFunc(part, byTag)
		}
		for i := 1; i < len(part); i++ {
			if part[i].tag == part[i-1].tag {
				return fail(h.offset+introSize, "index", compact.ErrMalformed, "%v comes twice", part[i].tag)
			}
		}
	}
	return nil
}

// find returns the entry of a tag. Entries after the region replace those in it.
func (h *Header) find(tag Tag) *entry {
	for i := len(h.index) - 1; i >= 0; i-- {
		if h.index[i].tag == tag {
			return &h.index[i]
		}
	}
	return nil
}

// dataOffset returns where the value of an entry starts, counted as in errors.
func (h *Header) dataOffset(e *entry) int64 {
	return h.offset + int64(introSize+len(h.index)*entrySize) + int64(e.start)
}

func (h *Header) failEntry(i int, class error, format string, args ...any) error {
	field := fmt.Sprintf("index entry %d (%v)", i, h.index[i].tag)
	return fail(h.offset+int64(introSize+i*entrySize), field, class, format, args...)
}

func (h *Header) failValue(e *entry, class error, format string, args ...any) error {
	return fail(h.dataOffset(e), e.tag.String(), class, format, args...)
}

func fail(offset int64, field string, class error, format string, args ...any) error {
	return &compact.FormatError{Offset: offset, Field: field, Err: fmt.Errorf("%w: %s", class, fmt.Sprintf(format, args...))}
}
