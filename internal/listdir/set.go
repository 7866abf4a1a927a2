package listdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrName is a file that is to be a list and is not named like one.
var ErrName = errors.New("not the name of a list")

// A Set is lists of a directory: all of them, or a single one.
type Set struct {
	*Dir
	Path  string // of the directory, absolute
	Lists []List // in loading order
}

// OpenSet opens a directory of lists, or the directory of a single one. See Open for
// what is refused; a file that is not named like a list is ErrName.
func OpenSet(path string) (*Set, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && !info.IsDir() && info.Mode()&os.ModeSymlink == 0 {
		return openOne(path)
	}
	dir, err := Open(path)
	if err != nil {
		return nil, err
	}
	return &Set{dir, path, dir.Lists()}, nil
}

func openOne(path string) (*Set, error) {
	parent, file := filepath.Split(path)
	name, ok := ParseName(file)
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, ErrName)
	}
	parent = filepath.Clean(parent)
	dir, err := Open(parent)
	if err != nil {
		return nil, err
	}
	return &Set{dir, parent, []List{{Name: name, File: file}}}, nil
}
