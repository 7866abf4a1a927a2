package compact

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// A TLVWriter collects records and writes them as a compact_tlv list, in blocks as
// those of a [Writer]. Close it to write the blocks that are still open.
//
// The items of a record are in the order in which digest-list-tools 0.3.95 writes
// them: evm digest, digest, path, label, capabilities, uid, gid, mode, size, file
// system magic. Those that the record does not have are left out.
type TLVWriter struct {
	out Writer
	buf []byte // the record being written
}

// tlvOrder is the order of the items in a record.
var tlvOrder = [itemCount]int{
	itemEVMDigest, itemDigest, itemPath, itemLabel, itemCaps, itemUID, itemGID, itemMode, itemSize, itemFSMagic,
}

// NewTLVWriter returns a TLVWriter to w.
func NewTLVWriter(w io.Writer) *TLVWriter {
	return &TLVWriter{out: Writer{w: w, version: versionTLV}}
}

// Add adds a record to its block. A digest is required. A record or block that a
// [TLVReader] would not take is an error.
func (w *TLVWriter) Add(b Block, r *Record) error {
	switch {
	case w.out.err != nil:
		return w.out.err
	case !b.Type.Valid():
		return fmt.Errorf("%w: %d", ErrUnsupportedType, b.Type)
	case b.Algorithm > maxTLVAlgorithm:
		return fmt.Errorf("%w: %v, want one of %v to %v", ErrUnsupportedAlgorithm, b.Algorithm, MD4, maxTLVAlgorithm)
	}
	if err := r.check(b.Algorithm); err != nil {
		return err
	}
	w.buf = r.appendItems(w.buf[:0])
	blk := w.out.block(b)
	if blk.size+len(w.buf) >= writeLimit {
		if w.out.err = w.out.flush(blk); w.out.err != nil {
			return w.out.err
		}
	}
	blk.add(w.buf)
	return nil
}

// Close writes the open blocks in order of first use. It does not close the
// underlying writer. The TLVWriter can then be used for another list.
func (w *TLVWriter) Close() error { return w.out.Close() }

// check refuses what cannot be written as items.
func (r *Record) check(a Algorithm) error {
	if len(r.Digest) != a.Size() {
		return fmt.Errorf("%w: digest of %d bytes, want %d for %v", ErrMalformed, len(r.Digest), a.Size(), a)
	}
	if r.EVMDigest != nil && len(r.EVMDigest) != a.Size() {
		return fmt.Errorf("%w: evm digest of %d bytes, want %d for %v", ErrMalformed, len(r.EVMDigest), a.Size(), a)
	}
	for item, text := range [...]string{itemPath: r.Path, itemLabel: r.Label, itemCaps: r.Caps} {
		if strings.IndexByte(text, 0) >= 0 {
			return fmt.Errorf("%w: %s %q: NUL inside", ErrMalformed, itemNames[item], text)
		}
		if len(text) >= maxItem {
			return fmt.Errorf("%w: %s of %d bytes, at most %d", ErrTooLarge, itemNames[item], len(text), maxItem-1)
		}
	}
	return nil
}

// appendItems appends the record as it is in a list.
func (r *Record) appendItems(b []byte) []byte {
	start := len(b)
	b = append(b, 0) // number of items
	for _, item := range tlvOrder {
		n := len(b)
		if b = r.appendItem(b, item); len(b) > n {
			b[start]++
		}
	}
	return b
}

// appendItem appends an item, or nothing if the record does not have it.
func (r *Record) appendItem(b []byte, item int) []byte {
	switch item {
	case itemDigest:
		return r.appendData(b, item, r.Digest)
	case itemEVMDigest:
		return r.appendData(b, item, r.EVMDigest)
	case itemPath:
		return r.appendText(b, item, r.Path)
	case itemLabel:
		return r.appendText(b, item, r.Label)
	case itemCaps:
		return r.appendText(b, item, r.Caps)
	case itemUID:
		return r.appendNumber(b, item, uint64(r.UID))
	case itemGID:
		return r.appendNumber(b, item, uint64(r.GID))
	case itemMode:
		return r.appendNumber(b, item, uint64(r.Mode))
	case itemSize:
		return r.appendNumber(b, item, uint64(r.Size))
	default:
		return r.appendNumber(b, item, r.FSMagic)
	}
}

func appendItemHead(b []byte, item, size int) []byte {
	return binary.LittleEndian.AppendUint32(append(b, byte(item)), uint32(size))
}

func (r *Record) appendData(b []byte, item int, data []byte) []byte {
	if data == nil {
		return b
	}
	return append(appendItemHead(b, item, len(data)), data...)
}

func (r *Record) appendText(b []byte, item int, text string) []byte {
	if text == "" && !r.has(item) {
		return b
	}
	b = append(appendItemHead(b, item, len(text)+1), text...)
	return append(b, 0)
}

func (r *Record) appendNumber(b []byte, item int, n uint64) []byte {
	if !r.has(item) {
		return b
	}
	size := itemSizes[item]
	b = binary.LittleEndian.AppendUint64(appendItemHead(b, item, size), n)
	return b[:len(b)-8+size]
}
