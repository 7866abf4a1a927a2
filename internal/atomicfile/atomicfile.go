// Package atomicfile writes files that are there as a whole or not at all, and that a power cut does not take away.
package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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

// Unfinished ends the names of temporary files that are to be known before: see WriteAs.
const Unfinished = ".digestlists-new"

// WriteAs writes a file like Write, by way of a temporary file that has this name, and not a new one each time: what a
// killed run has left is of a known name, and the next run uses it up.
func WriteAs(temp, path string, data []byte, perm os.FileMode) error {
	err := os.Remove(temp)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = writeSynced(temp, data, perm); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	return SyncDir(filepath.Dir(path))
}

func writeSynced(path string, data []byte, perm os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
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
