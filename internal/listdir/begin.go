package listdir

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A location is where a list directory is, or will be: replacing a directory is
// a change to its parent.
type location struct {
	parent string // absolute
	base   string
	fd     int      // the parent; -1 if it is not open
	made   []string // directories above that were missing, from the outermost
}

// locate splits a path. It goes by names only, but for a path that ends in a dot,
// which has no name of its own.
func locate(path string) (location, error) {
	clean := trimPath(path)
	if base := filepath.Base(clean); base == "." || base == ".." {
		real, err := filepath.EvalSymlinks(clean)
		if err != nil {
			return location{}, err
		}
		clean = real
	}
	abs := clean
	if !filepath.IsAbs(clean) {
		wd, err := os.Getwd()
		if err != nil {
			return location{}, err
		}
		// Not Join: it would take "link/../lists" for "lists".
		if abs = wd + "/" + clean; clean == "." {
			abs = wd
		}
	}
	parent, base := filepath.Split(abs)
	if path == "" || base == "" || base == ".." {
		return location{}, fmt.Errorf("%q has no name that lists could be kept under", path)
	}
	return location{parent: parent, base: base, fd: -1}, nil
}

func (l *location) path() string { return l.parent + l.base }

// open makes the parent directory where it is missing, and opens it.
func (l *location) open() error {
	if l.fd >= 0 {
		unix.Close(l.fd)
		l.fd = -1
	}
	if err := l.makeParents(); err != nil {
		return err
	}
	fd, err := unix.Open(l.parent, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open parent directory: %w", err)
	}
	l.fd = fd
	return nil
}

func (l *location) makeParents() error {
	var missing []string
	dir := strings.TrimRight(l.parent, "/")
	for ; dir != ""; dir = strings.TrimRight(filepath.Dir(dir), "/") {
		if _, err := os.Stat(dir); err == nil || !errors.Is(err, os.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		err := unix.Mkdir(missing[i], 0o755)
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("make directory %q: %w", missing[i], err)
		}
		if err == nil {
			l.made = append(l.made, missing[i])
			if err := os.Chmod(missing[i], 0o755); err != nil { // whatever the umask
				return fmt.Errorf("make directory %q: %w", missing[i], err)
			}
		}
	}
	return nil
}

// holds reports whether an open directory is what its name leads to now. fd < 0
// asks whether the name leads nowhere.
func (l *location) holds(fd int) (bool, error) {
	var named, open unix.Stat_t
	err := unix.Fstatat(l.fd, l.base, &named, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return fd < 0, nil
	}
	if err != nil || fd < 0 {
		return false, err
	}
	err = unix.Fstat(fd, &open)
	return named.Dev == open.Dev && named.Ino == open.Ino, err
}

// Begin starts a change of a list directory, which is locked against other runs
// until the Tx is committed or closed. Another run that does not finish in time
// is ErrInUse. A directory that Open refuses is refused here; one that is
// missing is made on Commit, with those above it, mode 0755.
func Begin(path string, opts Options) (*Tx, error) {
	at, err := locate(path)
	if err != nil {
		return nil, dirError(path, err)
	}
	tx := &Tx{path: path, dry: opts.DryRun, at: at, dir: noDir(path), side: noDir(ApartDir(path)), rootFd: -1, workFd: -1, replaced: -1}
	if err := tx.begin(opts.Wait); err != nil {
		tx.Close()
		return nil, err
	}
	return tx, nil
}

func (tx *Tx) begin(wait time.Duration) error {
	if err := tx.open(wait); err != nil {
		return err
	}
	if tx.dir.fd >= 0 {
		var st unix.Stat_t
		if err := unix.Fstat(tx.dir.fd, &st); err != nil {
			return dirError(tx.path, err)
		}
		tx.seen = st.Mtim
		if err := tx.dir.scan(); err != nil {
			return dirError(tx.path, err)
		}
	}
	if !tx.dry {
		tx.removeStale()
	}
	tx.load()
	return nil
}

// open opens the directory, and locks it unless this is a dry run.
func (tx *Tx) open(wait time.Duration) error {
	if tx.dry {
		dir, err := openDir(tx.at.path())
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			dir.path, tx.dir = tx.path, dir
		}
		return err
	}
	if wait == 0 {
		wait = defaultWait
	}
	wait = max(wait, 0)
	deadline := time.Now().Add(wait)
	for {
		done, err := tx.tryLock(deadline)
		switch {
		case done || err != nil:
			return err
		case time.Now().After(deadline):
			return dirError(tx.path, ErrInUse)
		}
	}
}

// noDir stands for a directory that is not there.
func noDir(path string) *Dir { return &Dir{path: path, fd: -1} }

// tryLock locks the directory. It is not done if the name leads elsewhere by the
// time the lock is granted, since the run before replaced the directory.
//
// Where there is no directory yet, the lock is on the parent.
func (tx *Tx) tryLock(deadline time.Time) (done bool, err error) {
	dir, err := openDir(tx.at.path())
	missing := errors.Is(err, os.ErrNotExist)
	if err != nil && !missing {
		return false, err
	}
	if !missing {
		dir.path, tx.dir = tx.path, dir
	}
	if err := tx.at.open(); err != nil {
		return false, dirError(tx.path, err)
	}
	fd := tx.dir.fd
	if missing {
		fd = tx.at.fd
	}
	if err := lock(fd, deadline); err != nil {
		return false, dirError(tx.path, err)
	}
	if same, err := tx.at.holds(tx.dir.fd); err != nil {
		return false, dirError(tx.path, err)
	} else if same {
		return true, nil
	}
	tx.dir.Close()
	tx.dir = noDir(tx.path)
	return false, nil
}

// lock takes an exclusive lock on an open directory. The kernel drops it with
// the process, however that ends.
func lock(fd int, deadline time.Time) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock: %w", err)
		case time.Now().After(deadline):
			return ErrInUse
		default:
			time.Sleep(pause)
		}
	}
}

const stagingDigits = 16

func (l *location) stagingPrefix() string { return "." + l.base + ".new-" }

// stage makes the staging folder: beside the directory, on the same file system.
func (tx *Tx) stage() error {
	tx.staging.Lock()
	defer tx.staging.Unlock()
	if tx.done {
		return dirError(tx.path, errors.New("transaction is closed"))
	}
	if tx.workFd >= 0 {
		return nil
	}
	if tx.dir.fd >= 0 {
		// Replacing a directory needs no right to write to it. Whoever made it
		// read-only meant it.
		if err := unix.Faccessat(tx.dir.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
			return dirError(tx.path, fmt.Errorf("write: %w", err))
		}
	}
	if err := tx.makeStaging(); err != nil {
		return dirError(tx.path, fmt.Errorf("make staging folder in %q: %w", tx.at.parent, err))
	}
	return nil
}

func (tx *Tx) makeStaging() error {
	if tx.rootFd < 0 {
		name := fmt.Sprintf("%s%0*x", tx.at.stagingPrefix(), stagingDigits, rand.Uint64())
		fd, err := makeDir(tx.at.fd, name)
		if err != nil {
			return err
		}
		tx.root, tx.rootFd = name, fd
		// Whoever cleans up leaves alone what is locked.
		if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
	}
	fd, err := makeDir(tx.rootFd, "work")
	if err != nil {
		return err
	}
	if tx.dir.fd >= 0 {
		// New files inherit the SELinux label and access list of the real directory.
		if err := copyXattrs(fd, tx.dir.fd); err != nil {
			unix.Close(fd)
			return err
		}
	}
	tx.workFd = fd
	return nil
}

// removeStale removes the staging folders of runs that were killed. What cannot
// be removed stays for the next run: it is in nobody's way.
func (tx *Tx) removeStale() {
	entries, err := readDirents(tx.at.fd)
	if err != nil {
		return
	}
	for _, e := range entries {
		suffix, ok := strings.CutPrefix(e.name, tx.at.stagingPrefix())
		if ok && len(suffix) == stagingDigits && strings.Trim(suffix, "0123456789abcdef") == "" {
			removeIfStale(tx.at.fd, e.name)
		}
	}
}

func removeIfStale(parent int, name string) {
	fd, err := open(parent, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	mine := unix.Fstat(fd, &st) == nil && st.Uid == uint32(os.Geteuid())
	if mine && unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil {
		removeTree(parent, name)
	}
}

// Close ends the transaction and drops what was not committed. It may be called
// at any time, also after Commit, when it does nothing.
func (tx *Tx) Close() error {
	tx.staging.Lock()
	defer tx.staging.Unlock()
	if tx.done {
		return nil
	}
	tx.done = true
	err := tx.cleanUp()
	for _, fd := range []int{tx.workFd, tx.rootFd, tx.replaced, tx.at.fd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	tx.dir.Close()
	tx.side.Close()
	if err != nil {
		return dirError(tx.path, err)
	}
	return nil
}

// cleanUp removes all that the transaction made and that is not the directory.
func (tx *Tx) cleanUp() error {
	var err error
	if tx.root != "" {
		if err = removeStubborn(tx.at.fd, tx.root); err != nil {
			err = fmt.Errorf("remove staging folder %q: %w", tx.at.parent+tx.root, err)
		}
	}
	for i := len(tx.at.made) - 1; i >= 0; i-- {
		if unix.Rmdir(tx.at.made[i]) != nil {
			break // in use: by the new directory, or by somebody else
		}
	}
	return err
}
