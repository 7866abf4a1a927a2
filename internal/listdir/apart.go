package listdir

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// The folder for signatures cannot be replaced in the same instant as the list
// directory. So that a crash never leaves a list without its signature, new
// names are added before, and old ones removed after. Only a name that
// comes to stand for another signature (of two lists that differ in nothing but
// their position, or of a list with new content) keeps the old one until right
// after: in between, that list fails verification.

// readApart opens the folder for signatures and plans what changes in it.
func (tx *Tx) readApart() (map[string]bool, error) {
	side, err := Open(ApartDir(tx.at.path()))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("detached signatures: %w", err)
	}
	tx.side = side
	have := make(map[string]bool)
	for _, l := range side.lists {
		have[l.File] = true
	}
	for _, name := range slices.Concat(side.signatures, side.others) {
		have[name] = true
	}
	return have, nil
}

// An apartChange carries out the plan for the folder for signatures.
type apartChange struct {
	tx    *Tx
	fd    int
	made  bool     // the folder is new
	added []string // names that are new in it
	later []string // names of the plan that wait in the staging folder as apart-0, apart-1, …
}

func (tx *Tx) apartName() string { return tx.at.base + signatureSuffix }

// before adds the signatures whose names are new.
func (c *apartChange) before(p *plan) error {
	if len(p.apart) == 0 {
		return nil
	}
	if c.fd < 0 {
		if err := c.make(); err != nil {
			return err
		}
	}
	for _, file := range p.apart {
		from := c.fd
		if file.staged {
			from = c.tx.workFd
		}
		err := unix.Linkat(from, file.from, c.fd, file.to, 0)
		if err == nil {
			c.added = append(c.added, file.to)
		}
		if errors.Is(err, unix.EEXIST) {
			err = unix.Linkat(from, file.from, c.tx.rootFd, waiting(len(c.later)), 0)
			c.later = append(c.later, file.to)
		}
		if err != nil {
			return fmt.Errorf("add %q: %w", file.to, err)
		}
	}
	return nil
}

// make makes the folder, with its mode from the first moment on: no later run sets it.
func (c *apartChange) make() error {
	const name = "apart"
	fd, err := makeDir(c.tx.rootFd, name)
	if err != nil {
		return err
	}
	c.fd, c.tx.side.fd = fd, fd
	if err := unix.Fchmod(fd, 0o755); err != nil {
		return err
	}
	if err := unix.Renameat(c.tx.rootFd, name, c.tx.at.fd, c.tx.apartName()); err != nil {
		return err
	}
	c.made = true
	return nil
}

func waiting(i int) string { return "apart-" + strconv.Itoa(i) }

// undo takes back what before did.
func (c *apartChange) undo() {
	for _, name := range c.added {
		if unix.Unlinkat(c.fd, name, 0) != nil {
			unix.Unlinkat(c.fd, name, 0) // as removeStubborn
		}
	}
	if c.made {
		unix.Unlinkat(c.tx.at.fd, c.tx.apartName(), unix.AT_REMOVEDIR)
	}
}

// after replaces the signatures whose names stay, and removes those of lists
// that are gone.
func (c *apartChange) after(p *plan) error {
	if c.fd < 0 {
		return nil
	}
	var first error
	for i, name := range c.later {
		if err := unix.Renameat(c.tx.rootFd, waiting(i), c.fd, name); err != nil && first == nil {
			first = fmt.Errorf("replace %q: %w", name, err)
		}
	}
	for _, name := range p.expired {
		if err := unix.Unlinkat(c.fd, name, 0); err != nil && first == nil {
			first = fmt.Errorf("remove %q: %w", name, err)
		}
	}
	if err := syncFd(c.fd); err != nil && first == nil {
		first = fmt.Errorf("sync: %w", err)
	}
	return first
}
