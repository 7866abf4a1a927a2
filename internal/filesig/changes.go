package filesig

import (
	"sync"

	"digestlists/internal/filehash"
)

// changes are the files that a run has changed. One that comes again, as that of another
// package or under another name, counts as it would have if it had not been changed yet: so
// it does in a dry run.
type changes struct {
	mu    sync.Mutex
	files map[inode][]byte
}

type inode struct{ device, number uint64 }

func inodeOf(f filehash.File) inode { return inode{uint64(f.Stat.Dev), f.Stat.Ino} }

// add notes that a file is about to be changed, and the value that it had.
func (c *changes) add(f filehash.File, before []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.files = make(map[inode][]byte)
	}
	c.files[inodeOf(f)] = before
}

// get returns the value that a file had, if it was changed.
func (c *changes) get(f filehash.File) (before []byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok = c.files[inodeOf(f)]
	return before, ok
}
