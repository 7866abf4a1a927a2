package attest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"digestlists/compact"
	"digestlists/internal/regular"
	"digestlists/parsers/imalog"

	"github.com/klauspost/compress/zstd"
)

// Measurements yields the entries of the measurement list in the given files, which
// are its parts in order: as text or binary, for SHA-1 or for another bank, plain or
// compressed with gzip or zstd. Each part holds whole entries.
//
// An entry is valid until the next one. On an error, which names the file, it yields
// (nil, err) once and stops.
func Measurements(files ...string) iter.Seq2[*imalog.Measurement, error] {
	return func(yield func(*imalog.Measurement, error) bool) {
		for _, path := range files {
			if !yieldFile(path, yield) {
				return
			}
		}
	}
}

func yieldFile(path string, yield func(*imalog.Measurement, error) bool) bool {
	f, err := openList(path)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer f.Close()
	for m, err := range ReadMeasurements(path, f) {
		if !yield(m, err) || err != nil {
			return false
		}
	}
	return true
}

// openList also opens what is no regular file: a list in securityfs, or a pipe that a
// shell has made. It does not wait for somebody to open the other end of a fifo.
func openList(path string) (*os.File, error) {
	f, err := regular.Open(path, 0)
	if errors.Is(err, regular.ErrNotRegular) {
		info, statErr := os.Stat(path)
		if statErr == nil && !info.IsDir() {
			return os.Open(path)
		}
	}
	return f, err
}

// ReadMeasurements yields the entries of one part of a measurement list, as
// Measurements does. Errors call it by its name.
func ReadMeasurements(name string, r io.Reader) iter.Seq2[*imalog.Measurement, error] {
	return func(yield func(*imalog.Measurement, error) bool) {
		list, done, err := decompress(r)
		defer done()
		for err == nil {
			var m *imalog.Measurement
			if m, err = list.Next(); err == nil && !yield(m, nil) {
				return
			}
		}
		if err != io.EOF {
			yield(nil, fmt.Errorf("%s: %w", name, err))
		}
	}
}

// maxWindow bounds what a zstd stream may have kept in memory, in bytes: what decoders are
// to support (RFC 8878 section 3.1.1.1.2), and all that the tool asks for below --ultra.
const maxWindow = 8 << 20

// decompress tells by the first bytes how the list is stored. Done is to be called at the
// end, whatever else is returned.
func decompress(r io.Reader) (list *imalog.Reader, done func(), err error) {
	done = func() {}
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return nil, done, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		plain, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, done, packedError("gzip", err)
		}
		return imalog.NewReader(&packed{format: "gzip", r: plain}), done, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		plain, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, done, packedError("zstd", err)
		}
		return imalog.NewReader(&packed{format: "zstd", r: plain}), plain.Close, nil
	case len(head) == 4 && head[0] == 0 && head[1] == 0 && head[2] == 0 && head[3] != 0:
		return nil, done, fmt.Errorf("%w: starts with %x, a PCR in big-endian order; want little-endian", compact.ErrMalformed, head)
	}
	return imalog.NewReader(buffered), done, nil
}

// packed gives the errors of compressed data a class. After an error there is nothing more
// to be had: a decoder might go on, and whoever looks ahead might pass over the error.
type packed struct {
	format string
	r      io.Reader
	err    error
}

func (p *packed) Read(b []byte) (n int, err error) {
	if p.err != nil {
		return 0, p.err
	}
	n, p.err = p.r.Read(b)
	if p.err != nil && p.err != io.EOF {
		p.err = packedError(p.format, p.err)
	}
	return n, p.err
}

func packedError(format string, err error) error {
	var failed *fs.PathError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fmt.Errorf("%s: %w", format, compact.ErrTruncated)
	case errors.As(err, &failed):
		return err // of the file, not of what is in it
	}
	return fmt.Errorf("%w: %s: %w", compact.ErrMalformed, format, err)
}
