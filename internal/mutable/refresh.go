package mutable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/inroot"
)

// Changes is what became of files since they were copied.
type Changes struct {
	Changed []string // copied again
	Gone    []string // no longer files: their copies are gone, too
	Busy    []string // of Changed, those that a program has open for writing
}

// Refresh makes the copies follow their files. What it has done is of use even if it fails
// later: the copies that there are can be listed at any time.
func (b *Backup) Refresh() (Changes, error) {
	var c Changes
	files, err := b.Files()
	if err != nil {
		return c, err
	}
	for _, name := range files {
		if err := b.refresh(name, &c); err != nil {
			return c, err
		}
	}
	return c, b.store.Sync()
}

func (b *Backup) refresh(name string, c *Changes) error {
	src, err := b.store.root.Open(name)
	if inroot.Gone(err) {
		c.Gone = append(c.Gone, name)
		return b.store.dir.Remove(b.Name + name)
	}
	if err != nil {
		return err
	}
	defer src.Close()
	if equal, err := b.matches(name, src); err != nil || equal {
		return err
	}
	c.Changed = append(c.Changed, name)
	busy, err := b.put(name, src)
	if busy {
		c.Busy = append(c.Busy, name)
	}
	return err
}

// matches compares the copy of a file with a file.
func (b *Backup) matches(name string, with *os.File) (bool, error) {
	copied, err := b.open(name)
	if err != nil {
		return false, err
	}
	defer copied.Close()
	return same(copied, with)
}

// Sums returns the digests of the copies, in the order of Files.
func (b *Backup) Sums(a compact.Algorithm) ([][]byte, error) {
	files, err := b.Files()
	if err != nil {
		return nil, err
	}
	sums := make([][]byte, len(files))
	for i, name := range files {
		if sums[i], err = b.sum(name, a); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func (b *Backup) sum(name string, a compact.Algorithm) ([]byte, error) {
	copied, err := b.open(name)
	if err != nil {
		return nil, err
	}
	defer copied.Close()
	sum, err := hashes.SumReader(a, copied)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: copied.Name(), Err: err}
	}
	return sum, nil
}

// ErrNotListed is a copy that is not as its list has it.
var ErrNotListed = errors.New("the list does not have it")

// Check returns ErrNotListed if a copy is not what the list has, which has says.
func (b *Backup) Check(a compact.Algorithm, has func(digest []byte) bool) error {
	files, err := b.Files()
	if err != nil {
		return err
	}
	for _, name := range files {
		sum, err := b.sum(name, a)
		if err != nil {
			return err
		}
		if !has(sum) {
			return fmt.Errorf("%s%s: %w", b.store.root.Path(Dir+"/"+b.Name), name, ErrNotListed)
		}
	}
	return nil
}
