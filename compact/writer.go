package compact

import (
	"bytes"
	"fmt"
	"io"
)

// writeLimit is where a block is written out: the kernel refuses a write of
// 64 MiB or more, and each block is uploaded with one write.
const writeLimit = 64<<20 - 1

// A Writer collects digests and writes them as a compact list. Close it to write
// the blocks that are still open. It keeps in memory what it has not written: of each
// block, less than 64 MiB.
type Writer struct {
	w       io.Writer
	version uint8    // of the blocks
	blocks  []*block // in order of first use
	err     error    // sticky
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w, version: versionDigests} }

// Add adds a digest to its block, and keeps none of the slice. Duplicates are kept.
// A digest whose length is not that of the algorithm is ErrMalformed; a block that the
// kernel would not take is ErrUnsupportedType or ErrUnsupportedAlgorithm. These add nothing;
// an error of the underlying writer is returned ever after.
func (w *Writer) Add(b Block, digest []byte) error {
	switch {
	case w.err != nil:
		return w.err
	case !b.Type.Valid():
		return fmt.Errorf("%w: %d", ErrUnsupportedType, b.Type)
	case !b.Algorithm.Valid():
		return fmt.Errorf("%w: %d", ErrUnsupportedAlgorithm, b.Algorithm)
	case len(digest) != b.Algorithm.Size():
		return fmt.Errorf("%w: digest of %d bytes, want %d for %v",
			ErrMalformed, len(digest), b.Algorithm.Size(), b.Algorithm)
	}
	blk := w.block(b)
	blk.add(digest)
	if blk.size+len(digest) >= writeLimit {
		w.err = w.flush(blk)
	}
	return w.err
}

// Close writes the open blocks in order of first use. It does not close the
// underlying writer. The Writer can then be used for another list.
func (w *Writer) Close() error {
	for _, blk := range w.blocks {
		if w.err == nil {
			w.err = w.flush(blk)
		}
	}
	w.blocks = w.blocks[:0]
	return w.err
}

// block finds the open block by a linear search: a list has a handful.
func (w *Writer) block(b Block) *block {
	for _, blk := range w.blocks {
		if blk.Block == b {
			return blk
		}
	}
	blk := &block{Block: b}
	w.blocks = append(w.blocks, blk)
	return blk
}

func (w *Writer) flush(b *block) error {
	if b.count == 0 {
		return nil
	}
	if buf, ok := w.w.(*bytes.Buffer); ok {
		buf.Grow(HeaderSize + b.size) // it would grow to twice that
	}
	h := Header{Block: b.Block, Version: w.version, Count: b.count, DataLen: uint32(b.size)}
	if _, err := w.w.Write(h.append(nil)); err != nil {
		return err
	}
	for _, chunk := range b.chunks {
		if _, err := w.w.Write(chunk); err != nil {
			return err
		}
	}
	b.count, b.size, b.chunks = 0, 0, nil
	return nil
}

// block holds digests or records in chunks that grow to maxChunk, so that a large list does
// not need twice its size while a slice is moved to a larger one.
type block struct {
	Block
	count  uint32
	size   int // bytes in chunks
	chunks [][]byte
}

const (
	minChunk = 1 << 10
	maxChunk = 1 << 20
)

func (b *block) add(data []byte) {
	last := len(b.chunks) - 1
	if last < 0 || len(b.chunks[last])+len(data) > cap(b.chunks[last]) {
		b.chunks = append(b.chunks, make([]byte, 0, max(min(max(b.size, minChunk), maxChunk), len(data))))
		last++
	}
	b.chunks[last] = append(b.chunks[last], data...)
	b.size += len(data)
	b.count++
}
