package rpmlist

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"digestlists/compact"
	"digestlists/parsers/rpmhdr"
)

// FromHeader returns the list of an immutable region, as rpmhdr.Immutable
// returns it.
func FromHeader(region []byte) []byte { return slices.Concat(rpmhdr.Magic[:], region) }

// Split takes a list apart: the header with its magic, and the signed part of
// the vendor's signature after it, nil if there is none. It checks that there is
// nothing else; the inside of the header is for Header.
func Split(list []byte) (header, signedTail []byte, err error) {
	const start = len(rpmhdr.Magic)
	if len(list) < start {
		return nil, nil, fail(0, "magic", compact.ErrTruncated, "%d bytes, want %d", len(list), start)
	}
	if !bytes.Equal(list[:start], rpmhdr.Magic[:]) {
		return nil, nil, fail(0, "magic", compact.ErrMalformed, "% x, want % x", list[:start], rpmhdr.Magic)
	}
	var intro [8]byte
	if n := copy(intro[:], list[start:]); n < len(intro) {
		return nil, nil, fail(start, "header", compact.ErrTruncated, "%d bytes, want at least %d", n, len(intro))
	}
	size, err := rpmhdr.Size(intro, int64(start))
	if err != nil {
		return nil, nil, err
	}
	end := start + size
	if len(list) < end {
		return nil, nil, fail(start, "header", compact.ErrTruncated, "%d bytes, want %d", len(list)-start, size)
	}
	header, tail := list[:end:end], list[end:]
	if len(tail) == 0 {
		return header, nil, nil
	}
	if !validTail(tail) {
		return nil, nil, fail(end, "end of header", compact.ErrMalformed,
			"%d more bytes, want none or the signed part of an OpenPGP signature", len(tail))
	}
	return header, tail, nil
}

const (
	tailSizeV3   = 5 // type and time
	tailIntroV4  = 6 // version to length of the hashed subpackets
	tailOutroV4  = 6 // version, 255 and length
	typeBinary   = 0 // signature over bytes as they are: RFC 4880 section 5.2.1
	trailerMarks = 0xff
)

func validTail(tail []byte) bool {
	if len(tail) == tailSizeV3 {
		return tail[0] == typeBinary
	}
	if len(tail) < tailIntroV4+tailOutroV4 || tail[0] != 4 || tail[1] != typeBinary {
		return false
	}
	hashed := tailIntroV4 + int(binary.BigEndian.Uint16(tail[4:]))
	if len(tail) != hashed+tailOutroV4 {
		return false
	}
	outro := tail[hashed:]
	return outro[0] == 4 && outro[1] == trailerMarks && binary.BigEndian.Uint32(outro[2:]) == uint32(hashed)
}

func fail(offset int, field string, class error, format string, args ...any) error {
	return &compact.FormatError{Offset: int64(offset), Field: field, Err: fmt.Errorf("%w: %s", class, fmt.Sprintf(format, args...))}
}
