package rpmdb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"

	"digestlists/compact"
)

// A file is the main file of a database, opened for one pass over it.
type file struct {
	*os.File
	size  int64
	stamp stamp
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
		return f.truncated(offset, len(buf))
	}
	return err
}

func (f *file) truncated(offset int64, want int) error {
	return &compact.FormatError{
		Offset: offset,
		Field:  "file",
		Err:    fmt.Errorf("%w: %w: want %d bytes, the file has %d", ErrDamaged, compact.ErrTruncated, want, max(f.size-offset, 0)),
	}
}

// readAhead is how much is read at once where pages follow each other, as those of
// one header mostly do: system calls, not bytes, are what reading pages costs.
const readAhead = 64 << 10

// A window is the part of a file that was read last.
type window struct {
	*file
	data  []byte
	start int64
}

// page returns size bytes at an offset, valid until the next call.
func (w *window) page(offset int64, size int) ([]byte, error) {
	if at := offset - w.start; at >= 0 && at+int64(size) <= int64(len(w.data)) {
		return w.data[at : at+int64(size)], nil
	}
	want := int64(size)
	if offset == w.start+int64(len(w.data)) {
		want = max(want, min(readAhead, w.size-offset))
	}
	if int64(cap(w.data)) < want {
		w.data = make([]byte, max(readAhead, want))
	}
	w.data, w.start = w.data[:want], offset
	if err := w.readFull(w.data, offset); err != nil {
		w.data = w.data[:0]
		return nil, err
	}
	return w.data[:size], nil
}

// A pageSet remembers which pages of a file were used, by walks that go on at once.
type pageSet []atomic.Uint64

func newPageSet(pages uint32) pageSet { return make(pageSet, uint64(pages)/64+1) }

// add reports whether page n was not in the set.
func (s pageSet) add(n uint32) bool {
	bit := uint64(1) << (n % 64)
	return s[n/64].Or(bit)&bit == 0
}

func (s pageSet) has(n uint32) bool { return s[n/64].Load()&(1<<(n%64)) != 0 }
