// Package atomicfile writes files that are there as a whole or not at all, and that a power cut does not take away.
package atomicfile

import (
	"io"
	"os"
)

// Write writes a file with what fill writes. The content goes to a temporary file
// beside path that is synced and renamed, so that a failed or killed run leaves
// the old file, or none; then the folder is synced. A path that exists and is no
// regular file, such as /dev/stdout or a fifo, is written to directly.
func Write(path string, perm os.FileMode, fill func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeTo(path, fill)
	}
	var b Batch
	defer b.Discard()
	if err := b.Add(path, perm, func(f *os.File) error { return fill(f) }); err != nil {
		return err
	}
	return b.Commit()
}

func writeTo(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// SyncDir makes what was renamed, made or removed in a folder durable. fsync(2) of a
// file says nothing about its name.
func SyncDir(path string) error { return withOpen(path, (*os.File).Sync) }

// withOpen opens a file or folder for something.
func withOpen(path string, do func(*os.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}
