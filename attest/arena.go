package attest

import (
	"fmt"

	"digestlists/compact"
)

// An arena keeps values in blocks, so that it grows without copying what is there, and
// with little room to spare. A value is found again by its block and its place in it.
type arena struct{ blocks [][]byte }

const (
	blockBits = 16
	blockSize = 1 << blockBits
	maxBlocks = 1 << (32 - blockBits)
)

// put keeps a value, and returns where. One that is larger than a block has one of its own.
func put[T ~string | ~[]byte](a *arena, value T) (at uint32, err error) {
	last := len(a.blocks) - 1
	if last < 0 || cap(a.blocks[last])-len(a.blocks[last]) < len(value) {
		if len(a.blocks) == maxBlocks {
			return 0, fmt.Errorf("%w: references of more than 4 GiB", compact.ErrTooLarge)
		}
		a.blocks = append(a.blocks, make([]byte, 0, max(blockSize, len(value))))
		last++
	}
	at = uint32(last)<<blockBits | uint32(len(a.blocks[last]))
	a.blocks[last] = append(a.blocks[last], value...)
	return at, nil
}

// get returns the value of that size.
func (a *arena) get(at, size uint32) []byte {
	return a.blocks[at>>blockBits][at%blockSize:][:size:size]
}

// records are kept in blocks for the same reason.
type records struct {
	blocks [][]record
	count  int
}

const recordsInBlock = 2048

func (r *records) add(rec record) {
	if r.count%recordsInBlock == 0 {
		r.blocks = append(r.blocks, make([]record, 0, recordsInBlock))
	}
	last := &r.blocks[r.count/recordsInBlock]
	*last = append(*last, rec)
	r.count++
}

func (r *records) at(i uint32) *record { return &r.blocks[i/recordsInBlock][i%recordsInBlock] }
