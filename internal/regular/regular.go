// Package regular opens files that have to be regular ones, without waiting for the
// other end where a fifo has been put in their place.
package regular

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotRegular is a folder, fifo, socket or device in place of a file.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge is a file with more bytes than the caller takes.
var ErrTooLarge = errors.New("too large")

// sysfsPage is the size that files of sysfs say they have: a page, at most 64 KiB.
const sysfsPage = 64 << 10

// Open opens a file for reading. Flags are added to those of open(2), such as
// unix.O_NOFOLLOW.
func Open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// A Limited file is read as far as a limit: more is an error, and no end.
type Limited struct {
	file              *os.File
	size, limit, left int64
}

// OpenLimited opens a file like Open. One of more than limit bytes is refused, here or,
// if it grows, when it is read.
func OpenLimited(path string, flags int, limit int64) (*Limited, error) {
	f, err := Open(path, flags)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	// The size is a hint: files of sysfs are shorter than they say, by a page at most, and files may grow.
	if err == nil && info.Size() > max(limit, sysfsPage) {
		err = tooLarge(path, limit)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Limited{f, info.Size(), limit, limit}, nil
}

// Read implements [io.Reader].
func (f *Limited) Read(p []byte) (int, error) {
	n, err := f.file.Read(p[:min(int64(len(p)), f.left+1)])
	if f.left -= int64(n); f.left < 0 {
		f.left = 0
		return n - 1, tooLarge(f.file.Name(), f.limit)
	}
	return n, err
}

// Close closes the file.
func (f *Limited) Close() error { return f.file.Close() }

// ReadFile returns the content of a file of at most limit bytes.
func ReadFile(path string, flags int, limit int64) ([]byte, error) {
	f, err := OpenLimited(path, flags, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	b.Grow(int(min(f.size, limit)) + bytes.MinRead)
	if _, err := b.ReadFrom(f); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func tooLarge(path string, limit int64) error {
	return fmt.Errorf("%s: %w: more than %d bytes", path, ErrTooLarge, limit)
}
