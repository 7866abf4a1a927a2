package rpmhdr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"digestlists/compact"
)

// ErrNoRegion says that a header has no immutable region: it was made before
// RPM 4, as old gpg-pubkey entries of a database were. librpm has no
// RPMTAG_HEADERIMMUTABLE for it either.
var ErrNoRegion = errors.New("no immutable region")

// RegionTag returns the tag of the region, 0 if the header has none.
func (h *Header) RegionTag() Tag {
	if tag := h.index[0].tag; tag >= HeaderImage && tag <= HeaderImmutable {
		return tag
	}
	return 0
}

// readRegion checks the first index entry and the trailer that it points to, if
// it is a region. It sets h.region and returns where in the data the region
// ends, 0 without one.
func (h *Header) readRegion() (end uint32, err error) {
	h.region = len(h.index)
	tag := h.RegionTag()
	if tag == 0 {
		return 0, nil
	}
	first := &h.index[0]
	if first.kind != kindBinary || first.count != entrySize {
		return 0, h.failEntry(0, compact.ErrMalformed, "%d values of type %v, want %d of type binary", first.count, first.kind, entrySize)
	}
	if uint64(first.start)+entrySize > uint64(len(h.data)) {
		return 0, h.failEntry(0, compact.ErrMalformed, "trailer at %d, want it within the %d bytes of data", int32(first.start), len(h.data))
	}
	first.end = first.start + entrySize
	return first.end, h.readTrailer(h.data[first.start:first.end])
}

func (h *Header) readTrailer(trailer []byte) error {
	first := h.index[0]
	tag, typ := Tag(binary.BigEndian.Uint32(trailer)), kind(binary.BigEndian.Uint32(trailer[4:]))
	back, count := -int64(int32(binary.BigEndian.Uint32(trailer[8:]))), binary.BigEndian.Uint32(trailer[12:])
	// RPM 4.0 wrote the trailer of signature headers with the tag of an image.
	same := tag == first.tag || (first.tag == HeaderSignatures && tag == HeaderImage)
	switch {
	case !same || typ != kindBinary || count != entrySize:
		return h.failValue(&first, compact.ErrMalformed, "trailer is %d × %v of %v, want 16 × binary of %v", count, typ, tag, first.tag)
	case back%entrySize != 0 || back < entrySize || back > int64(len(h.index)*entrySize):
		return h.failValue(&first, compact.ErrMalformed, "trailer counts %d bytes back over an index of %d", back, len(h.index)*entrySize)
	}
	h.region = int(back / entrySize)
	return nil
}

// Whole reports whether the header is what the vendor built and nothing else: one
// immutable region, or a header made before there were those.
func (h *Header) Whole() bool {
	switch h.RegionTag() {
	case HeaderImmutable:
		return h.region == len(h.index)
	case HeaderSignatures:
		return false
	default:
		return true
	}
}

// Immutable returns the immutable region of a header, byte for byte what librpm
// exports as RPMTAG_HEADERIMMUTABLE: counts, index and data of the region. It is
// part of the blob where that is nothing else, and a copy otherwise.
//
// The error is ErrNoRegion where librpm has nothing to export.
func (h *Header) Immutable() ([]byte, error) {
	if h.RegionTag() != HeaderImmutable {
		return nil, fmt.Errorf("offset %d: %w", h.offset, ErrNoRegion)
	}
	if h.Whole() {
		return h.blob, nil
	}
	return h.appendRegion(nil), nil
}

// appendRegion appends the counts, index and data of the region.
func (h *Header) appendRegion(dst []byte) []byte {
	if h.Whole() {
		return append(dst, h.blob...)
	}
	index := h.blob[introSize : introSize+h.region*entrySize]
	data := h.data[:h.index[0].end]
	dst = slices.Grow(dst, introSize+len(index)+len(data))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.region))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	return append(append(dst, index...), data...)
}

// Immutable returns the immutable region of a blob as an RPM database stores it,
// with the entries that were added at install. See [Header.Immutable].
func Immutable(blob []byte) ([]byte, error) {
	h, err := Parse(blob)
	if err != nil {
		return nil, err
	}
	return h.Immutable()
}
