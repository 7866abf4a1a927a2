// Package atomicfile writes files that are there as a whole or not at all.
package atomicfile

import (
	"io"
	"os"
	"path/filepath"
)

// Write writes a file with what fill writes. The content goes to a temporary file
// beside path that is synced and renamed, so that a failed or killed run leaves
// the old file, or none. A path that exists and is no regular file, such as
// /dev/stdout or a fifo, is written to directly.
func Write(path string, perm os.FileMode, fill func(io.Writer) error) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeTo(path, fill)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	for _, finish := range []func() error{func() error { return f.Chmod(perm) }, f.Sync, f.Close} {
		if err := finish(); err != nil {
			return err
		}
	}
	return os.Rename(f.Name(), path)
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
