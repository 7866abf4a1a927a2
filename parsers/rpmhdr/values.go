package rpmhdr

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Has reports whether the header has a value of any type under the tag.
func (h *Header) Has(tag Tag) bool { return h.find(tag) != nil }

// Count returns the number of values under the tag, 0 if it is absent.
func (h *Header) Count(tag Tag) int {
	if e := h.find(tag); e != nil {
		return int(e.count)
	}
	return 0
}

// String returns the first string under the tag. ok is false if it is absent or
// no string.
func (h *Header) String(tag Tag) (value string, ok bool) {
	for s := range h.Strings(tag) {
		return s, true
	}
	return "", false
}

// Strings yields the strings under the tag: nothing if it is absent or of another
// type.
func (h *Header) Strings(tag Tag) iter.Seq[string] {
	return func(yield func(string) bool) {
		e := h.find(tag)
		if e == nil || !e.kind.text() {
			return
		}
		texts := h.texts(e)
		for range e.count {
			if !yield(string(texts.next())) {
				return
			}
		}
	}
}

// Bytes returns the binary value under the tag, a part of the blob. ok is false
// if it is absent or of another type.
func (h *Header) Bytes(tag Tag) (value []byte, ok bool) {
	e := h.find(tag)
	if e == nil || e.kind != kindBinary {
		return nil, false
	}
	return h.data[e.start:][:e.count:e.count], true
}

// Uint32s returns the 32-bit numbers under the tag. ok is false if it is absent
// or of another type.
func (h *Header) Uint32s(tag Tag) (values []uint32, ok bool) {
	e := h.find(tag)
	if e == nil || e.kind != kindInt32 {
		return nil, false
	}
	values = make([]uint32, e.count)
	for i := range values {
		values[i] = binary.BigEndian.Uint32(h.data[e.start+4*uint32(i):])
	}
	return values, true
}

// texts is a run of NUL-terminated strings.
type texts []byte

func (h *Header) texts(e *entry) texts { return texts(h.data[e.start:e.end]) }

// next returns the next string without its NUL. The checks of Parse guarantee as
// many strings as the entry counts.
func (t *texts) next() []byte {
	end := bytes.IndexByte(*t, 0)
	s := (*t)[:end]
	*t = (*t)[end+1:]
	return s
}
