package rpmdb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"digestlists/compact"
)

// A file is the main file of a database, opened for one pass over it.
type file struct {
	*os.File
	size  int64
	stamp stamp

	chunk []byte // of pages, at chunkOff
	off   int64
}

// A stamp changes when a file is written to, but for two writes within a tick of the
// kernel's clock: see head.
type stamp struct {
	dev, ino     uint64
	size         int64
	mtime, ctime syscall.Timespec
}

// headSize bytes hold SQLite's file change counter, NDB's generation and the number
// of keys and last page of Berkeley DB.
const headSize = 128

func makeStamp(info os.FileInfo) stamp {
	st := info.Sys().(*syscall.Stat_t)
	return stamp{uint64(st.Dev), st.Ino, st.Size, st.Mtim, st.Ctim}
}

// openFile opens a regular file. O_NONBLOCK keeps the open of a fifo from waiting.
func openFile(path string) (*file, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q: %w: not a regular file", path, ErrNoDatabase)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{File: f, size: info.Size(), stamp: makeStamp(info)}, nil
}

// changed reports whether the open file was written to since it was opened.
func (f *file) changed() bool {
	info, err := f.Stat()
	return err != nil || makeStamp(info) != f.stamp
}

// replaced reports the same, or that the path leads to another file by now.
func (f *file) replaced() bool {
	info, err := os.Stat(f.Name())
	return err != nil || makeStamp(info) != f.stamp
}

// head returns the first headSize bytes, fewer of a smaller file.
func (f *file) head() (string, error) {
	buf := make([]byte, min(headSize, f.size))
	err := f.readFull(buf, 0)
	return string(buf), err
}

// readFull fills buf from an offset.
func (f *file) readFull(buf []byte, offset int64) error {
	n, err := f.ReadAt(buf, offset)
	if n == len(buf) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return &compact.FormatError{
			Offset: offset, Field: "file",
			Err: fmt.Errorf("%w: %w: want %d bytes, the file has %d", ErrDamaged, compact.ErrTruncated, len(buf), max(f.size-offset, 0)),
		}
	}
	return err
}

// readAhead is how much is read at once where pages follow each other, as those
// of a header mostly do: system calls, not bytes, are what reading pages costs.
const readAhead = 64 << 10

// page returns size bytes at an offset, valid until the next call.
func (f *file) page(offset int64, size int) ([]byte, error) {
	if at := offset - f.off; at >= 0 && at+int64(size) <= int64(len(f.chunk)) {
		return f.chunk[at : at+int64(size)], nil
	}
	want := int64(size)
	if offset == f.off+int64(len(f.chunk)) {
		want = max(want, min(readAhead, f.size-offset))
	}
	if int64(cap(f.chunk)) < want {
		f.chunk = make([]byte, max(readAhead, want))
	}
	f.chunk, f.off = f.chunk[:want], offset
	if err := f.readFull(f.chunk, offset); err != nil {
		f.chunk = f.chunk[:0]
		return nil, err
	}
	return f.chunk[:size], nil
}

// A pageSet remembers which pages of a file were used.
type pageSet []uint64

func newPageSet(pages uint32) pageSet { return make(pageSet, uint64(pages)/64+1) }

// add reports whether page n was not in the set.
func (s pageSet) add(n uint32) bool {
	word, bit := &s[n/64], uint64(1)<<(n%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
