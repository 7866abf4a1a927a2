package attest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"digestlists/compact"
	"digestlists/internal/packed"
	"digestlists/internal/regular"
	"digestlists/parsers/imalog"
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
		list, done, err := openReader(r)
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

// openReader tells by the first bytes how the list is stored. Done is to be called at the
// end, whatever else is returned.
func openReader(r io.Reader) (list *imalog.Reader, done func(), err error) {
	plain, done, err := packed.NewReader(r)
	if err != nil {
		return nil, done, err
	}
	if peeker, ok := plain.(*bufio.Reader); ok { // not compressed
		head, _ := peeker.Peek(4)
		if len(head) == 4 && head[0] == 0 && head[1] == 0 && head[2] == 0 && head[3] != 0 {
			return nil, done, fmt.Errorf("%w: starts with %x, a PCR in big-endian order; want little-endian", compact.ErrMalformed, head)
		}
	}
	return imalog.NewReader(plain), done, nil
}
