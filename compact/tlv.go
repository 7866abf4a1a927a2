package compact

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxTLVAlgorithm is the last algorithm that compact_tlv lists name: the format
// was only ever written by tools whose table ends there.
const maxTLVAlgorithm = SM3

// maxItem bounds an item; the longest are paths (PATH_MAX) and SELinux labels.
const maxItem = inputSize

// A TLVReader reads a compact_tlv list: blocks like those of a compact list, with
// version 2, whose data are records. A record is a byte that counts its items;
// an item is an id (1 byte), a length (4 bytes, little-endian) and data:
//
//	0 digest  1 evm digest  2 path*  3 uid  4 gid  5 mode  6 size (4 bytes each)
//	7 file system magic (8 bytes)  8 object label*  9 capabilities as text*
//
// Those marked * end in a NUL. Every record has a digest, and no item twice.
type TLVReader struct {
	in     input
	header Header
	index  uint32
	end    int64 // offset after the current block
	rec    *Record
	last   *Record // the one before
	buf    []byte  // of the digests of rec
	err    error

	checking bool // records are not kept
}

// NewTLVReader returns a reader of the list in r. It reads ahead.
func NewTLVReader(r io.Reader) *TLVReader {
	return &TLVReader{in: newInput(r), rec: new(Record), last: new(Record)}
}

// Next goes to the next block, past what is left of the current one. It returns
// io.EOF at the end of the list and a *FormatError where the list is wrong; after an error
// it returns that error again.
func (t *TLVReader) Next() (Header, error) {
	for {
		_, err := t.Record()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Header{}, err
		}
	}
	h, err := t.in.header(versionTLV, maxTLVAlgorithm)
	if err != nil {
		t.err = err
		return Header{}, err
	}
	t.header, t.index, t.end = h, 0, t.in.off+int64(h.DataLen)
	return h, t.blockEnd()
}

// Record returns the next record of the block, valid until the next call, or io.EOF
// after the last. Where the list is wrong, it is a *FormatError.
func (t *TLVReader) Record() (*Record, error) {
	if t.err != nil && t.err != io.EOF {
		return nil, t.err
	}
	if t.index == t.header.Count {
		return nil, io.EOF
	}
	err := t.record()
	if err == nil {
		t.index++
		err = t.blockEnd()
	}
	if err != nil {
		t.err = err
		return nil, err
	}
	return t.rec, nil
}

// blockEnd checks that the last record ends where the header says.
func (t *TLVReader) blockEnd() error {
	if t.index == t.header.Count && t.in.off != t.end {
		t.err = t.in.fail(0, "data length", fmt.Errorf("%w: %d records end %d bytes early",
			ErrMalformed, t.header.Count, t.end-t.in.off))
		return t.err
	}
	return nil
}

func (t *TLVReader) record() error {
	count, err := t.read(1, "number of items")
	if err != nil {
		return err
	}
	items := int(count[0])
	t.rec, t.last = t.last, t.rec
	*t.rec, t.buf = Record{}, t.buf[:0]
	for range items {
		if err := t.item(); err != nil {
			return err
		}
	}
	if !t.rec.has(itemDigest) {
		return t.in.fail(0, t.field("record"), fmt.Errorf("%w: no digest", ErrMalformed))
	}
	return nil
}

func (t *TLVReader) item() error {
	head, err := t.read(5, "item")
	if err != nil {
		return err
	}
	id, size := int(head[0]), binary.LittleEndian.Uint32(head[1:])
	switch {
	case id >= itemCount:
		return t.in.fail(-5, t.field("item"), fmt.Errorf("%w: id %d, want 0 to %d", ErrMalformed, id, itemCount-1))
	case t.rec.has(id):
		return t.in.fail(-5, t.field(itemNames[id]), fmt.Errorf("%w: second one", ErrMalformed))
	case size > maxItem:
		return t.in.fail(-4, t.field(itemNames[id]), fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, maxItem))
	}
	data, err := t.read(int(size), itemNames[id])
	if err != nil {
		return err
	}
	if err := checkItem(id, data, t.header.Algorithm); err != nil {
		return t.in.fail(-int64(size), t.field(itemNames[id]), err)
	}
	t.rec.items |= 1 << id
	if t.checking {
		return nil
	}
	if id == itemDigest || id == itemEVMDigest {
		start := len(t.buf)
		t.buf = append(t.buf, data...)
		data = t.buf[start:len(t.buf):len(t.buf)]
	}
	t.rec.set(id, data, t.last)
	return nil
}

// read returns the next n bytes, but none past the end of the block. They are valid until
// the next call.
func (t *TLVReader) read(n int, field string) ([]byte, error) {
	if left := t.end - t.in.off; int64(n) > left {
		return nil, t.in.fail(0, t.field(field), fmt.Errorf("%w: %d bytes, %d left in the block", ErrMalformed, n, left))
	}
	b, err := t.in.next(n)
	if err != nil {
		return nil, t.in.fail(0, t.field(field), err)
	}
	return b, nil
}

func (t *TLVReader) field(name string) string {
	return fmt.Sprintf("%s of record %d of %d", name, t.index+1, t.header.Count)
}

// CheckTLV reads a whole list and returns how many records it holds. Errors are those of
// TLVReader; an empty input is ErrTruncated, too.
func CheckTLV(r io.Reader) (records int, err error) {
	t := NewTLVReader(r)
	t.checking = true
	blocks := 0
	for {
		h, err := t.Next()
		if err == io.EOF && blocks > 0 {
			return records, nil
		}
		if err == io.EOF {
			return 0, t.in.fail(0, "header", ErrTruncated)
		}
		if err != nil {
			return 0, err
		}
		blocks++
		records += int(h.Count)
	}
}
