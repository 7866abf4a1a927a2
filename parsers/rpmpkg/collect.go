package rpmpkg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrNoPackages says that there is nothing to make lists from.
var ErrNoPackages = errors.New("no packages")

const suffix = ".rpm"

// A file is a package file to be read.
type file struct {
	path  string
	found bool // in a folder, where links are not followed
}

// collect lists the package files that the paths stand for.
func collect(paths []string) ([]file, error) {
	var files []file
	inputs := 0
	for _, path := range paths {
		if path == stdin {
			if inputs++; inputs > 1 {
				return nil, errors.New(`"-" given twice, but there is one standard input`)
			}
			files = append(files, file{path: path})
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if err := regular(path, info.Mode()); err != nil {
				return nil, err
			}
			files = append(files, file{path: path})
			continue
		}
		found, err := search(path)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no paths given", ErrNoPackages)
	}
	return files, nil
}

// search returns the packages in a folder and the folders in it, in the order of
// names.
func search(folder string) ([]file, error) {
	var files []file
	// The slash makes WalkDir start in the folder that a link points to.
	err := filepath.WalkDir(folder+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, suffix) || d.IsDir() || d.Type()&fs.ModeSymlink != 0 {
			return nil
		}
		files = append(files, file{path: path, found: true})
		return regular(path, d.Type())
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: %q has no *%s", ErrNoPackages, folder, suffix)
	}
	return files, nil
}

// open opens the file if it still is a regular one. It does not wait for the
// writer of a fifo that took its place.
func (f file) open() (*os.File, error) {
	flags := os.O_RDONLY | syscall.O_NONBLOCK
	if f.found {
		flags |= syscall.O_NOFOLLOW
	}
	opened, err := os.OpenFile(f.path, flags, 0)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err == nil {
		err = regular(f.path, info.Mode())
	}
	if err != nil {
		opened.Close()
		return nil, err
	}
	return opened, nil
}

func regular(path string, mode fs.FileMode) error {
	if !mode.IsRegular() {
		return fmt.Errorf("%q: not a regular file (%v), want a package", path, mode)
	}
	return nil
}
