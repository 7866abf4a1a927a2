package mutable

import (
	"errors"
	"fmt"
	"io"
	"os"

	"digestlists/compact"
	"digestlists/internal/hashes"

	"golang.org/x/sys/unix"
)

// ErrChanging is a file that is written to whenever it is read.
var ErrChanging = errors.New("it is being written to all the time: stop the program that does, or leave the file out")

// tries is how often a file is read before it is said to change all the time.
const tries = 5

// stable calls read until the file is known not to have changed meanwhile, and tells
// whether a program has it open for writing.
//
// What makes it safe is a lease (fcntl(2), F_SETLEASE): it is only given while nobody has
// the file open for writing, or mapped, and who then opens it for writing waits until the
// lease is given back. Where there is a writer, or the file system knows no leases, size and
// times must be the same before and after.
func stable(f *os.File, read func() error) (busy bool, err error) {
	fd := f.Fd()
	for range tries {
		_, refused := unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK)
		before, err := stat(f)
		if err == nil {
			err = read()
		}
		after, statErr := stat(f)
		if refused == nil {
			unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
		}
		switch {
		case err != nil || statErr != nil:
			return false, errors.Join(err, statErr)
		case unchanged(before, after):
			return errors.Is(refused, unix.EAGAIN), nil
		}
	}
	return true, fmt.Errorf("%s: %w", f.Name(), ErrChanging)
}

func unchanged(a, b unix.Stat_t) bool {
	return a.Size == b.Size && a.Mtim == b.Mtim && a.Ctim == b.Ctim
}

func stat(f *os.File) (st unix.Stat_t, err error) {
	if err = unix.Fstat(int(f.Fd()), &st); err != nil {
		err = &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return st, err
}

// copyStable makes dst a copy of src as it was at one moment. A file system that can
// share the content (FICLONE) gives it out in one piece.
func copyStable(dst, src *os.File) (busy bool, err error) {
	return stable(src, func() error {
		if err := dst.Truncate(0); err != nil {
			return err
		}
		if unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())) == nil {
			return nil
		}
		return copyContent(dst, src)
	})
}

func copyContent(dst, src *os.File) error {
	if _, err := dst.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(dst, src)
	return err
}

// Sum returns the digest of an open file as it was at one moment. One that changes all
// the time is ErrChanging.
func Sum(f *os.File, a compact.Algorithm) ([]byte, error) {
	var sum []byte
	_, err := stable(f, func() (err error) {
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			sum, err = hashes.SumReader(a, f)
		}
		return err
	})
	return sum, err
}
