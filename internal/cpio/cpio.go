// Package cpio reads archives in the "newc" format, as an initramfs is made of.
//
// Source: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel. A
// header is 110 bytes of text: the magic number and thirteen fields of eight hexadecimal
// digits. After it come the name, with a zero byte at its end, and the content, each
// filled up to a multiple of four bytes.
package cpio

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"

	"digestlists/compact"
)

// Magic begins each header; with a checksum of the content, it ends in 2.
const Magic = "07070"

const (
	headerSize = 110
	maxName    = 4096 // PATH_MAX: the kernel passes over longer ones (init/initramfs.c)
	trailer    = "TRAILER!!!"
)

// A Header is what an archive says of a member.
type Header struct {
	Name string // as path.Clean gives it, without a / at its beginning
	Mode uint32 // of stat(2): kind and permissions
	Size int64  // of the content, in bytes
	// File is the same for all names of a file, by inode and device; the last of them has
	// the content.
	File  [3]uint32
	Links uint32
}

// A Reader reads an archive: Next goes to the next member, Read reads its content.
type Reader struct {
	r      io.Reader
	offset int64 // from the beginning of the archive, in bytes
	left   int64 // of the content
	pad    int64 // after it
}

// NewReader returns a reader that does not read more than the archive.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next returns the next member, and io.EOF after the last one. Damage is
// compact.ErrMalformed or compact.ErrTruncated.
func (a *Reader) Next() (*Header, error) {
	if err := a.skip(a.left + a.pad); err != nil {
		return nil, err
	}
	a.left, a.pad = 0, 0
	at := a.offset
	text, err := a.bytes(headerSize)
	if err != nil {
		return nil, err
	}
	fields, err := parse(text)
	if err != nil {
		return nil, a.malformed(at, err)
	}
	nameSize := fields[11]
	if nameSize == 0 || nameSize > maxName {
		return nil, a.malformed(at, fmt.Errorf("a name of %d bytes, want 1 to %d", nameSize, maxName))
	}
	name, err := a.bytes(int64(nameSize) + padding(headerSize+int64(nameSize)))
	if err != nil {
		return nil, err
	}
	if name[nameSize-1] != 0 {
		return nil, a.malformed(at, errors.New("the name does not end in a zero byte"))
	}
	h := &Header{
		Name: path.Clean("/" + string(name[:nameSize-1]))[1:], Mode: fields[1], Size: int64(fields[6]),
		File: [3]uint32{fields[0], fields[7], fields[8]}, Links: fields[4],
	}
	a.left, a.pad = h.Size, padding(h.Size)
	if h.Name == trailer {
		return nil, io.EOF
	}
	return h, nil
}

// parse reads the fields of a header, in their order.
func parse(text []byte) (fields [13]uint32, err error) {
	magic := string(text[:6])
	if magic != Magic+"1" && magic != Magic+"2" {
		return fields, fmt.Errorf("begins with %q, want %s1", magic, Magic)
	}
	for i := range fields {
		digits := string(text[6+8*i : 14+8*i])
		n, err := strconv.ParseUint(digits, 16, 32)
		if err != nil {
			return fields, fmt.Errorf("%q, want 8 hexadecimal digits", digits)
		}
		fields[i] = uint32(n)
	}
	return fields, nil
}

// padding is how many bytes a part of n bytes lacks to a multiple of four.
func padding(n int64) int64 { return -n & 3 }

// Read reads the content of the member.
func (a *Reader) Read(b []byte) (int, error) {
	if a.left == 0 {
		return 0, io.EOF
	}
	n, err := a.r.Read(b[:min(int64(len(b)), a.left)])
	a.left -= int64(n)
	a.offset += int64(n)
	if err == io.EOF && a.left > 0 {
		err = a.truncated(err)
	}
	return n, err
}

func (a *Reader) skip(n int64) error {
	skipped, err := io.CopyN(io.Discard, a.r, n)
	a.offset += skipped
	return a.truncated(err)
}

func (a *Reader) bytes(n int64) ([]byte, error) {
	b := make([]byte, n)
	read, err := io.ReadFull(a.r, b)
	a.offset += int64(read)
	return b, a.truncated(err)
}

func (a *Reader) truncated(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("cpio: offset %d: %w", a.offset, compact.ErrTruncated)
	}
	return err
}

func (a *Reader) malformed(offset int64, err error) error {
	return fmt.Errorf("cpio: offset %d: %w: %w", offset, compact.ErrMalformed, err)
}
