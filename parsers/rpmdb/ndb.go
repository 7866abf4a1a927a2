package rpmdb

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"slices"
	"syscall"
	"time"

	"github.com/knqyf263/go-rpmdb/pkg/ndb"
)

// Layout of Packages.db (librpm, lib/backend/ndb/rpmpkg.c, version 0), all integers
// little-endian u32:
//
//	page 0, 32 bytes: magic, version, generation, number of slot pages, next package
//	slot pages, from byte 32: slots of magic, package, first block, blocks
//	blocks of 16 bytes: blobs, and zeros where none is
//
// A blob has a head (magic, package, generation, bytes of data), the data, zeros up
// to the end of its last block less 12, and a tail (Adler-32 of all before, bytes of
// data, magic). A free slot is all zeros but for its magic.
const (
	ndbPage     = 4096
	ndbBlock    = 16
	ndbSlotSize = 16
	ndbHead     = 16
	ndbTail     = 12

	ndbSlotMagic = 'S' | 'l'<<8 | 'o'<<16 | 't'<<24
	ndbHeadMagic = 'B' | 'l'<<8 | 'b'<<16 | 'S'<<24
	ndbTailMagic = 'B' | 'l'<<8 | 'b'<<16 | 'E'<<24
)

type ndbSlot struct {
	offset int64 // of the slot itself
	number uint32
	block  uint32
	blocks uint32
}

func (s ndbSlot) start() int64 { return int64(s.block) * ndbBlock }
func (s ndbSlot) end() int64   { return (int64(s.block) + int64(s.blocks)) * ndbBlock }

// scanNDB emits the headers in the order of their blobs, as librpm lists them.
func scanNDB(ctx context.Context, f *file, emit func(Blob) error) error {
	slots, err := ndbIndex(ctx, f)
	if err != nil {
		return err
	}
	var buf []byte
	for _, slot := range slots {
		size := slot.end() - slot.start()
		buf = slices.Grow(buf[:0], int(size))[:size]
		if err := f.readFull(buf, slot.start()); err != nil {
			return err
		}
		data, err := slot.open(buf)
		if err != nil {
			return err
		}
		if err := emit(Blob{Number: slot.number, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// ndbIndex reads the slots while nobody writes them.
func ndbIndex(ctx context.Context, f *file) ([]ndbSlot, error) {
	unlock, err := lockShared(ctx, f)
	if err != nil {
		return nil, err
	}
	defer unlock()
	w := &window{file: f}
	slots, err := ndbSlots(w)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(slots, func(a, b ndbSlot) int { return int(int64(a.block) - int64(b.block)) })
	return slots, ndbCheckSpace(w, slots)
}

// How often and how long to wait for RPM, which locks the file for a moment only.
const lockTries = 50

var lockWait = 100 * time.Millisecond

func lockShared(ctx context.Context, f *file) (unlock func(), err error) {
	for range lockTries {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
		if err == nil {
			return func() { syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, err
		}
		if err := sleep(ctx, lockWait); err != nil {
			return nil, err
		}
	}
	return nil, ErrBusy
}

func ndbSlots(f *window) ([]ndbSlot, error) {
	var head [32]byte
	if err := f.readFull(head[:], 0); err != nil {
		return nil, err
	}
	version, pages, next := le32(head[4:]), le32(head[12:]), le32(head[16:])
	if version != ndb.NDB_DBVersion {
		return nil, unsupported(4, "version", "%d, want %d", version, ndb.NDB_DBVersion)
	}
	end := int64(pages) * ndbPage
	if pages == 0 || end > f.size || f.size%ndbBlock != 0 {
		return nil, damaged(12, "slot pages", "%d in a file of %d bytes", pages, f.size)
	}
	var slots []ndbSlot
	used := make(map[uint32]bool)
	for offset := int64(len(head)); offset < end; offset += ndbSlotSize {
		raw, err := f.page(offset, ndbSlotSize)
		if err != nil {
			return nil, err
		}
		slot := ndbSlot{offset, le32(raw[4:]), le32(raw[8:]), le32(raw[12:])}
		if magic := le32(raw); magic != ndbSlotMagic {
			return nil, damaged(offset, "slot", "magic %#08x, want %#08x", magic, uint32(ndbSlotMagic))
		}
		if slot.number == 0 && slot.block == 0 && slot.blocks == 0 {
			continue
		}
		if slot.number == 0 || slot.number >= next || used[slot.number] {
			return nil, damaged(offset+4, "slot", "package %d, want one from 1 to %d, once", slot.number, next-1)
		}
		if slot.start() < end || slot.blocks == 0 || slot.end() > f.size {
			return nil, damaged(offset+8, "slot", "package %d in %d blocks from %d, want them within bytes %d to %d", slot.number, slot.blocks, slot.block, end, f.size)
		}
		used[slot.number] = true
		slots = append(slots, slot)
	}
	return slots, nil
}

// ndbCheckSpace checks that the blobs, in order of place, do not overlap, and that
// there are only zeros between them: librpm clears what it frees, so that anything
// else is a blob whose slot was lost.
func ndbCheckSpace(f *window, slots []ndbSlot) error {
	var head [32]byte
	if err := f.readFull(head[:], 0); err != nil {
		return err
	}
	at := int64(le32(head[12:])) * ndbPage
	for _, slot := range slots {
		if slot.start() < at {
			return damaged(slot.offset, "slot", "package %d starts at byte %d, within another one that ends at %d", slot.number, slot.start(), at)
		}
		if err := ndbCheckZero(f, at, slot.start()); err != nil {
			return err
		}
		at = slot.end()
	}
	return ndbCheckZero(f, at, f.size)
}

func ndbCheckZero(f *window, from, to int64) error {
	for from < to {
		part, err := f.page(from, int(min(ndbPage, to-from)))
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(part, func(b byte) bool { return b != 0 }); i >= 0 {
			return damaged(from+int64(i), "free space", "%#02x, want zeros: a package without a slot", part[i])
		}
		from += int64(len(part))
	}
	return nil
}

// open checks a blob and returns its data.
func (s ndbSlot) open(blob []byte) ([]byte, error) {
	at, field := s.start(), "blob"
	if magic, number := le32(blob), le32(blob[4:]); magic != ndbHeadMagic || number != s.number {
		return nil, damaged(at, field, "magic %#08x of package %d, want %#08x of %d", magic, number, uint32(ndbHeadMagic), s.number)
	}
	size := le32(blob[12:])
	if want := (ndbHead + int64(size) + ndbTail + ndbBlock - 1) / ndbBlock; want != int64(s.blocks) {
		return nil, damaged(at+12, field, "%d bytes in %d blocks, want %d", size, s.blocks, want)
	}
	tail := blob[len(blob)-ndbTail:]
	if tailSize, magic := le32(tail[4:]), le32(tail[8:]); tailSize != size || magic != ndbTailMagic {
		return nil, damaged(s.end()-8, field, "tail of %d bytes with magic %#08x, want %d and %#08x", tailSize, magic, size, uint32(ndbTailMagic))
	}
	sum := adler32.Checksum(blob[:len(blob)-ndbTail])
	if want := le32(tail); sum != want {
		return nil, damaged(at, field, "checksum %#08x, want %#08x", sum, want)
	}
	return blob[ndbHead : ndbHead+size], nil
}

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
