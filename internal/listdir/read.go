package listdir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"digestlists/compact"

	"golang.org/x/sys/unix"
)

// MaxListSize is the size in bytes from which on a list is refused. The kernel
// takes 64 MiB at a time, but a file may hold several blocks of that size.
const MaxListSize = 1 << 30

// A File is a list, or another file of the directory, open for reading.
type File struct {
	dir  *Dir
	name string
	fd   int
	size int64
}

// OpenList opens a file of the directory: a list, or a signature beside it.
// It never follows a symbolic link (ErrLink), never waits on a fifo
// (ErrNotRegular), and refuses a file larger than MaxListSize
// (compact.ErrTooLarge). A file that was there when the directory was opened and
// is gone by now, because another run replaced the directory, is both
// os.ErrNotExist and ErrChanged.
func (d *Dir) OpenList(file string) (File, error) {
	fd, err := open(d.fd, file, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return File{}, fileError(d.path, file, d.openError(file, err))
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil {
		if st.Mode&unix.S_IFMT != unix.S_IFREG {
			err = kindError(st.Mode)
		} else if st.Size > MaxListSize {
			err = fmt.Errorf("%w: %d bytes, want at most %d", compact.ErrTooLarge, st.Size, MaxListSize)
		}
	}
	if err != nil {
		unix.Close(fd)
		return File{}, fileError(d.path, file, err)
	}
	return File{dir: d, name: file, fd: fd, size: st.Size}, nil
}

// openError says in our words what open(2) means.
func (d *Dir) openError(file string, err error) error {
	switch {
	case errors.Is(err, unix.ELOOP):
		return ErrLink
	case errors.Is(err, unix.ENXIO):
		return fmt.Errorf("%w but a socket or a device", ErrNotRegular)
	case errors.Is(err, unix.ENOENT) && d.knows(file):
		return fmt.Errorf("%w: the directory %w", err, ErrChanged)
	}
	return err
}

// Size returns the size in bytes when the file was opened.
func (f File) Size() int64 { return f.size }

// Close closes the file.
func (f File) Close() error { return unix.Close(f.fd) }

// Read reads on from where the last read ended, as io.Reader asks.
func (f File) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(f.fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fileError(f.dir.path, f.name, fmt.Errorf("read: %w", err))
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// ReadAt reads at an offset, as io.ReaderAt asks.
func (f File) ReadAt(p []byte, off int64) (int, error) {
	got := 0
	for got < len(p) {
		n, err := unix.Pread(f.fd, p[got:], off+int64(got))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return got, fileError(f.dir.path, f.name, fmt.Errorf("read: %w", err))
		case n == 0:
			return got, io.EOF
		}
		got += n
	}
	return got, nil
}

// ReadInto reads the whole file and returns it, in buf if it is large enough and
// else in a new slice. A file that became shorter is compact.ErrTruncated, one
// that became longer ErrChanged.
func (f File) ReadInto(buf []byte) ([]byte, error) {
	// One byte more than the file has shows in the same read(2) that it ends.
	want := int(f.size) + 1
	if cap(buf) < want {
		buf = make([]byte, want)
	}
	buf = buf[:want]
	got := 0
	for got < want {
		n, err := f.Read(buf[got:])
		got += n
		if got == want-1 && (err == nil || err == io.EOF) {
			return buf[:got:want], nil
		}
		if err == io.EOF {
			err = fmt.Errorf("%w: %d bytes, want %d", compact.ErrTruncated, got, f.size)
			return nil, fileError(f.dir.path, f.name, err)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, fileError(f.dir.path, f.name, fmt.Errorf("%w: longer than %d bytes", ErrChanged, f.size))
}

// ReadInto opens and reads a whole file of the directory: see OpenList and
// File.ReadInto. A buffer that is used again makes reading many lists cheap;
// goroutines need one each.
//
// On Linux the calls are openat, fstat, read and close, on the calling thread:
// what the kernel allows the process that uploads lists.
func (d *Dir) ReadInto(file string, buf []byte) ([]byte, error) {
	f, err := d.OpenList(file)
	if err != nil {
		return nil, err
	}
	content, err := f.ReadInto(buf)
	if closing := f.Close(); err == nil && closing != nil {
		return nil, fileError(d.path, file, closing)
	}
	return content, err
}

// Same tells whether a file of the directory has exactly that content. It reads
// no more than it has to.
func (d *Dir) Same(file string, content []byte) (bool, error) {
	f, err := d.OpenList(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if f.size != int64(len(content)) {
		return false, nil
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := f.Read(buf)
		if err == io.EOF {
			return len(content) == 0, nil
		}
		if err != nil {
			return false, err
		}
		if n > len(content) || !bytes.Equal(buf[:n], content[:n]) {
			return false, nil
		}
		content = content[n:]
	}
}

// knows reports whether the file was there when the directory was read.
func (d *Dir) knows(file string) bool {
	n, ok := ParseName(file)
	if !ok {
		_, signed := slices.BinarySearch(d.signatures, file)
		return signed
	}
	_, listed := slices.BinarySearchFunc(d.lists, List{Name: n, File: file}, compareLists)
	return listed
}
