package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// A Batch is files that are written together: nothing is seen of them before Commit, which waits for the disk once,
// not for each.
//
//	var b atomicfile.Batch
//	defer b.Discard()
//	… b.Add(path, 0o644, func(f *os.File) error { … }) …
//	err := b.Commit()
type Batch struct {
	files []unnamed
	made  []string // folders, from the outermost
}

// An unnamed file has its content, but not its name yet.
type unnamed struct{ temp, path string }

// MakeFolders makes a folder where there is none, with those above it.
func (b *Batch) MakeFolders(path string) error {
	err := b.MakeFolder(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		if err := b.MakeFolders(filepath.Dir(path)); err != nil {
			return err
		}
		err = b.MakeFolder(path)
	}
	return err
}

// MakeFolder makes a folder where there is none, mode 0755. Discard removes it if Commit put nothing into it.
func (b *Batch) MakeFolder(path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	}
	b.made = append(b.made, path)
	return os.Chmod(path, 0o755) // whatever the umask
}

// Add writes a file with what fill writes and sets. It replaces the one at path on Commit.
func (b *Batch) Add(path string, perm os.FileMode, fill func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	if err = fill(f); err == nil {
		err = f.Chmod(perm)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	b.files = append(b.files, unnamed{f.Name(), path})
	return nil
}

// Commit gives all files their names. After an error, each is as it was or as it should be, and of files that were not
// there before none is, unless the error says that changes are in place.
func (b *Batch) Commit() error {
	if err := b.sync(); err != nil {
		return err
	}
	var folders, named []string
	for len(b.files) > 0 {
		f := b.files[0]
		_, err := os.Lstat(f.path)
		absent := errors.Is(err, fs.ErrNotExist)
		if err := os.Rename(f.temp, f.path); err != nil {
			for _, path := range named {
				os.Remove(path)
			}
			return err
		}
		if b.files = b.files[1:]; absent {
			named = append(named, f.path)
		}
		if folder := filepath.Dir(f.path); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	b.made = nil
	for _, folder := range folders {
		if err := SyncDir(folder); err != nil {
			return fmt.Errorf("changes are in place, but maybe not durable: %w", err)
		}
	}
	return nil
}

// sync makes the contents durable, before the names are: of one file, or else of all at once.
func (b *Batch) sync() error {
	if len(b.files) == 1 && len(b.made) == 0 {
		return withOpen(b.files[0].temp, (*os.File).Sync)
	}
	var synced []string
	for _, f := range b.files {
		folder := filepath.Dir(f.path)
		if slices.Contains(synced, folder) {
			continue
		}
		synced = append(synced, folder)
		if err := withOpen(f.temp, syncAll); err != nil {
			return err
		}
	}
	return nil
}

// syncAll syncs the file system that a file is on.
func syncAll(f *os.File) error {
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return &fs.PathError{Op: "sync", Path: f.Name(), Err: err}
	}
	return nil
}

// Discard removes what has no name yet. After Commit, it does nothing.
func (b *Batch) Discard() {
	for _, f := range b.files {
		os.Remove(f.temp)
	}
	for _, folder := range slices.Backward(b.made) {
		os.Remove(folder) // stays if something is in it
	}
	b.files, b.made = nil, nil
}
