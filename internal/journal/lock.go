package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrBusy: the journal is locked. [BusyError] says by what.
var ErrBusy = errors.New("another set-up is running, or what a killed one has started")

// A BusyError names the programs that have a journal open.
type BusyError struct{ Programs []string }

func (e *BusyError) Error() string {
	return strings.Join(append([]string{ErrBusy.Error()}, e.Programs...), ", ")
}

// Unwrap returns ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// firstInherited is above the descriptors that shell scripts use for themselves.
const firstInherited = 64

// patience is for programs that were killed together with the run that has started them:
// they hold the lock until the kernel is done with them.
const patience = 2 * time.Second

// lock takes the journal for this process and all programs that it starts: flock(2)
// lasts until the last of them has closed it. A killed run may leave a program running
// that goes on to write what is to be restored, such as the maker of an initramfs.
func (j *Journal) lock() error {
	fd, err := unix.FcntlInt(j.f.Fd(), unix.F_DUPFD, firstInherited)
	if err != nil {
		return fmt.Errorf("%s: %w", j.f.Name(), err)
	}
	own := j.f
	j.f = os.NewFile(uintptr(fd), own.Name())
	if err := own.Close(); err != nil {
		return err
	}
	for end := time.Now().Add(patience); ; time.Sleep(patience / 100) {
		err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK {
			return err
		}
		if time.Now().After(end) {
			return &BusyError{j.users()}
		}
	}
}

// Close closes the journal; it stays on disk. What was started and is still there no
// longer locks it.
func (j *Journal) Close() error {
	return errors.Join(unix.Flock(int(j.f.Fd()), unix.LOCK_UN), j.f.Close())
}

// users returns the programs that have the journal open, other than this one: those of
// others are seen by root alone.
func (j *Journal) users() []string {
	own := fmt.Sprintf("/proc/%d/", os.Getpid())
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is good
	var users []string
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || target != j.f.Name() || strings.HasPrefix(link, own) {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		name, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil { // it has ended
			continue
		}
		if user := strings.TrimSpace(string(name)) + " (process " + filepath.Base(process) + ")"; !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	return users
}
