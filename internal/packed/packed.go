// Package packed reads evidence that may have been compressed with gzip or zstd.
package packed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"digestlists/compact"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds what a zstd stream may have kept in memory, in bytes: what decoders are
// to support (RFC 8878 section 3.1.1.1.2), and all that the tool asks for below --ultra.
const maxWindow = 8 << 20

// others are what compressed data begin with that are not read here.
var others = map[string]string{
	"xz":    "\xfd7zXZ\x00",
	"bzip2": "BZh",
	"lz4":   "\x04\x22\x4d\x18",
	"lzma":  "\x5d\x00\x00",
}

// NewReader tells by the first bytes how the data are stored, and returns a reader of what
// they are. Done is to be called at the end, whatever else is returned. Damage, and other
// compression, is compact.ErrMalformed or compact.ErrTruncated.
func NewReader(r io.Reader) (plain io.Reader, done func(), err error) {
	done = func() {}
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(6)
	if err != nil && err != io.EOF {
		return nil, done, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		plain, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, done, classed("gzip", err)
		}
		return &reader{format: "gzip", r: plain}, done, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		plain, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, done, classed("zstd", err)
		}
		return &reader{format: "zstd", r: plain}, plain.Close, nil
	}
	for format, magic := range others {
		if bytes.HasPrefix(head, []byte(magic)) {
			return nil, done, fmt.Errorf("%w: compressed with %s, want plain data, gzip or zstd", compact.ErrMalformed, format)
		}
	}
	return buffered, done, nil
}

// reader gives the errors of compressed data a class. After an error there is nothing more
// to be had: a decoder might go on, and whoever looks ahead might pass over the error.
type reader struct {
	format string
	r      io.Reader
	err    error
}

func (p *reader) Read(b []byte) (n int, err error) {
	if p.err != nil {
		return 0, p.err
	}
	n, p.err = p.r.Read(b)
	if p.err != nil && p.err != io.EOF {
		p.err = classed(p.format, p.err)
	}
	return n, p.err
}

func classed(format string, err error) error {
	var failed *fs.PathError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fmt.Errorf("%s: %w", format, compact.ErrTruncated)
	case errors.As(err, &failed):
		return err // of the file, not of what is in it
	}
	return fmt.Errorf("%w: %s: %w", compact.ErrMalformed, format, err)
}
