package listdir

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Commit carries out all changes in one step and ends the transaction. On an
// error the directory is as it was, unless the error is ErrInPlace: then only
// making the changes durable, or removing what is no longer used, failed.
//
// A directory that somebody changed without a lock since Begin is ErrChanged. One
// that cannot be replaced as a whole is ErrExchange: a mount point; and, if more
// than one of its entries is to change, a directory of a lower overlay layer or
// of a file system without RENAME_EXCHANGE.
func (tx *Tx) Commit() (Summary, error) {
	if tx.done {
		return Summary{}, dirError(tx.path, errors.New("transaction is closed"))
	}
	p, err := tx.plan()
	if err == nil && !tx.dry {
		err = tx.apply(p)
	}
	cleaning := tx.Close()
	switch {
	case err != nil && cleaning != nil:
		return Summary{}, fmt.Errorf("%w; also: %w", err, cleaning)
	case err != nil:
		return Summary{}, err
	case cleaning != nil:
		return p.summary, fmt.Errorf("%w: %w", ErrInPlace, cleaning)
	}
	return p.summary, nil
}

// changes counts the entries of the directory that change.
func (p *plan) changes() int {
	n := len(p.gone)
	for _, f := range p.files {
		if f.change() {
			n++
		}
	}
	if p.relink {
		n++
	}
	return n
}

func (tx *Tx) apply(p *plan) error {
	apart := len(p.apart)+len(p.expired) > 0
	changes := p.changes()
	if changes == 0 && !apart {
		return nil
	}
	if err := tx.stage(); err != nil {
		return err
	}
	if err := tx.unchanged(); err != nil {
		return dirError(tx.path, err)
	}
	var err error
	if changes == 1 && !apart && tx.dir.fd >= 0 {
		err = tx.changeEntry(p)
	} else {
		err = tx.replaceDir(p, changes > 0)
	}
	if err != nil {
		return dirError(tx.path, err)
	}
	return nil
}

// unchanged reports whether the directory is as it was read. Only programs that
// take no lock can have changed it; what they did would be lost.
func (tx *Tx) unchanged() error {
	same, err := tx.at.holds(tx.dir.fd)
	if err != nil {
		return err
	}
	if !same {
		return ErrChanged
	}
	if tx.dir.fd < 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(tx.dir.fd, &st); err != nil {
		return err
	}
	if st.Mtim != tx.seen {
		return ErrChanged
	}
	return nil
}

// changeEntry makes a change to one entry, which a single system call does.
func (tx *Tx) changeEntry(p *plan) error {
	var err error
	switch {
	case len(p.gone) == 1:
		err = unix.Unlinkat(tx.dir.fd, p.gone[0], 0)
	case p.relink && p.link == "":
		err = unix.Unlinkat(tx.dir.fd, ParserLink, 0)
	case p.relink:
		if err = unix.Symlinkat(p.link, tx.workFd, ParserLink); err == nil {
			err = unix.Renameat(tx.workFd, ParserLink, tx.dir.fd, ParserLink)
		}
	default:
		err = tx.placeOne(p)
	}
	if err != nil {
		return err
	}
	return inPlace(syncFd(tx.dir.fd))
}

// placeOne puts the one file of the plan in place that changes.
func (tx *Tx) placeOne(p *plan) error {
	var f placement
	for _, f = range p.files {
		if f.change() {
			break
		}
	}
	from := tx.dir.fd
	if f.staged {
		from = tx.workFd
		if err := syncFile(from, f.from); err != nil {
			return err
		}
	}
	// Plain rename(2): the lock is held, so what it replaces is what is meant.
	if err := unix.Renameat(from, f.from, tx.dir.fd, f.to); err != nil {
		return fmt.Errorf("%q: %w", f.to, exchangeError(err))
	}
	return nil
}

func syncFile(dirfd int, name string) error {
	fd, err := open(dirfd, name, unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return syncFd(fd)
}

// inPlace marks an error after which the changes stay.
func inPlace(err error) error {
	if err != nil {
		return fmt.Errorf("%w, but maybe not durable: %w", ErrInPlace, err)
	}
	return nil
}

// replaceDir builds the new directory, with hard links for what stays, and
// exchanges it for the old one.
func (tx *Tx) replaceDir(p *plan, changed bool) error {
	if changed {
		if err := tx.buildAndFlush(p); err != nil {
			return err
		}
	}
	apart := apartChange{tx: tx, fd: tx.side.fd}
	err := apart.before(p)
	if err != nil {
		err = fmt.Errorf("detached signatures: %w", err)
	}
	// One call for all files: an fsync for each would take a disk flush for each.
	if err == nil {
		err = unix.Syncfs(tx.rootFd)
	}
	if err == nil && changed {
		err = tx.exchange()
	}
	if err != nil {
		apart.undo()
		return err
	}
	durable := tx.syncParents()
	if err := apart.after(p); err != nil {
		return fmt.Errorf("%w: detached signatures: %w", ErrInPlace, err)
	}
	return inPlace(durable)
}

const builtName = "lists"

// buildAndFlush has the contents written to disk while build gives them their names,
// which takes as long. It does not replace the syncfs(2) after it, which has less left to
// do; but since each call reports an error of writing only once, both count.
func (tx *Tx) buildAndFlush(p *plan) error {
	flushed := make(chan error, 1)
	go func() { flushed <- unix.Syncfs(tx.rootFd) }()
	err := tx.build(p)
	if failed := <-flushed; err == nil {
		err = failed
	}
	return err
}

// build makes the new directory in the staging folder.
func (tx *Tx) build(p *plan) error {
	fd, err := makeDir(tx.rootFd, builtName)
	if err != nil {
		return err
	}
	tx.replaced = fd
	if tx.dir.fd >= 0 {
		err = copyAttributes(fd, tx.dir.fd)
	} else {
		err = unix.Fchmod(fd, 0o755)
	}
	if err != nil {
		return err
	}
	for _, f := range p.files {
		if f.staged {
			err = unix.Renameat(tx.workFd, f.from, fd, f.to)
		} else {
			err = exchangeError(linkTree(tx.dir.fd, f.from, fd, f.to))
		}
		if err != nil {
			return fmt.Errorf("%q: %w", f.to, err)
		}
	}
	if p.link != "" {
		return unix.Symlinkat(p.link, fd, ParserLink)
	}
	return nil
}

// exchange is the moment at which the changes happen. The new directory is
// locked: the next run waits until the old one is removed.
func (tx *Tx) exchange() error {
	if err := unix.Flock(tx.replaced, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	flags := uint(unix.RENAME_EXCHANGE)
	if tx.dir.fd < 0 {
		flags = unix.RENAME_NOREPLACE
	}
	err := unix.Renameat2(tx.rootFd, builtName, tx.at.fd, tx.at.base, flags)
	if tx.dir.fd < 0 && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS)) {
		// Without the flag, a directory replaces nothing but an empty one.
		err = unix.Renameat(tx.rootFd, builtName, tx.at.fd, tx.at.base)
	}
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENOTEMPTY) {
		return ErrChanged
	}
	return exchangeError(err)
}

// exchangeError explains why a directory cannot be exchanged.
func exchangeError(err error) error {
	switch {
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EXDEV):
		return fmt.Errorf("%w: %w; is it a mount point, or part of an overlay? use a folder inside it", ErrExchange, err)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: %w; the file system has no RENAME_EXCHANGE", ErrExchange, err)
	}
	return err
}

// syncParents makes the exchange durable, and new directories above.
func (tx *Tx) syncParents() error {
	if len(tx.at.made) > 0 {
		return unix.Syncfs(tx.at.fd)
	}
	return syncFd(tx.at.fd)
}
