package compact

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The item ids of a record, formats of compact_tlv.
const (
	itemDigest = iota
	itemEVMDigest
	itemPath
	itemUID
	itemGID
	itemMode
	itemSize
	itemFSMagic
	itemLabel
	itemCaps
	itemCount
)

var itemNames = [itemCount]string{
	"digest", "evm digest", "path", "uid", "gid", "mode", "size", "file system magic", "label", "capabilities",
}

// itemSizes holds the sizes of items of fixed size. Digests and text have 0.
var itemSizes = [itemCount]int{itemUID: 4, itemGID: 4, itemMode: 4, itemSize: 4, itemFSMagic: 8}

// A Record is one file of a compact_tlv list. Items that the list does not hold
// are nil or empty; Has tells an owner, mode or size of 0 from none, and Set
// gives the record one.
type Record struct {
	Digest    []byte // of the file's content, of the size of the block's algorithm
	EVMDigest []byte // of its metadata, of the same size
	Path      string
	UID, GID  uint32
	Mode      uint32 // st_mode
	Size      uint32 // bytes, modulo 4 GiB
	FSMagic   uint64 // of the file system, as in statfs(2)
	Label     string // SELinux label, without the NUL
	Caps      string // capabilities as text, in the form of cap_to_text(3)

	items uint16
}

// HasOwner reports whether UID and GID were recorded.
func (r *Record) HasOwner() bool { return r.has(itemUID) && r.has(itemGID) }

// HasMode reports whether Mode was recorded.
func (r *Record) HasMode() bool { return r.has(itemMode) }

// HasSize reports whether Size was recorded.
func (r *Record) HasSize() bool { return r.has(itemSize) }

// SetOwner gives the record numbers of an owner and a group.
func (r *Record) SetOwner(uid, gid uint32) {
	r.UID, r.GID = uid, gid
	r.items |= 1<<itemUID | 1<<itemGID
}

// SetMode gives the record a mode, as in stat(2).
func (r *Record) SetMode(mode uint32) { r.Mode, r.items = mode, r.items|1<<itemMode }

// SetSize gives the record a size in bytes, of which it keeps the lower 32 bits.
func (r *Record) SetSize(size int64) { r.Size, r.items = uint32(size), r.items|1<<itemSize }

// SetFSMagic gives the record the magic number of a file system, as in statfs(2).
func (r *Record) SetFSMagic(magic uint64) { r.FSMagic, r.items = magic, r.items|1<<itemFSMagic }

func (r *Record) has(item int) bool { return r.items&(1<<item) != 0 }

// checkItem tells whether an item may have these data.
func checkItem(id int, data []byte, algorithm Algorithm) error {
	want := itemSizes[id]
	switch id {
	case itemDigest, itemEVMDigest:
		want = algorithm.Size()
	case itemPath, itemLabel, itemCaps:
		if i := bytes.IndexByte(data, 0); i < 0 || i != len(data)-1 {
			return fmt.Errorf("%w: text does not end in its only NUL", ErrMalformed)
		}
		return nil
	}
	if len(data) != want {
		return fmt.Errorf("%w: %d bytes, want %d", ErrMalformed, len(data), want)
	}
	return nil
}

// set takes an item that was checked. Text that is that of the record before needs no
// memory of its own: labels and capabilities of most files are the same.
func (r *Record) set(id int, data []byte, last *Record) {
	switch id {
	case itemDigest:
		r.Digest = data
	case itemEVMDigest:
		r.EVMDigest = data
	case itemPath:
		r.Path = text(data, last.Path)
	case itemUID:
		r.UID = binary.LittleEndian.Uint32(data)
	case itemGID:
		r.GID = binary.LittleEndian.Uint32(data)
	case itemMode:
		r.Mode = binary.LittleEndian.Uint32(data)
	case itemSize:
		r.Size = binary.LittleEndian.Uint32(data)
	case itemFSMagic:
		r.FSMagic = binary.LittleEndian.Uint64(data)
	case itemLabel:
		r.Label = text(data, last.Label)
	case itemCaps:
		r.Caps = text(data, last.Caps)
	}
}

// text is data without its NUL.
func text(data []byte, last string) string {
	if data = data[:len(data)-1]; string(data) == last {
		return last
	}
	return string(data)
}
