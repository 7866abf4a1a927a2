// Package regular opens files that have to be regular ones, without waiting for the
// other end where a fifo has been put in their place.
package regular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// ReadFile returns the content of a file of at most limit bytes.
func ReadFile(path string, flags int, limit int64) ([]byte, error) {
	f, err := Open(path, flags)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// The size is a hint: files of sysfs are shorter than they say, by a page at most, and files may grow.
	if info.Size() > max(limit, sysfsPage) {
		return nil, tooLarge(path, limit)
	}
	var b bytes.Buffer
	b.Grow(int(min(info.Size(), limit)) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	data := b.Bytes()
	if int64(len(data)) > limit {
		return nil, tooLarge(path, limit)
	}
	return data, nil
}

func tooLarge(path string, limit int64) error {
	return fmt.Errorf("%s: %w: more than %d bytes", path, ErrTooLarge, limit)
}
