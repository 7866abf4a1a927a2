// Package securityfs talks to a kernel that has IMA digest lists. It is the only
// place that knows the kernel's paths.
package securityfs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// MountPoint is where securityfs belongs.
const MountPoint = "/sys/kernel/security"

// MaxWrite is the first size in bytes that one write may not have.
const MaxWrite = 64 << 20

// ErrUnsupported means that the kernel has no digest lists.
var ErrUnsupported = errors.New("this kernel has no digest lists")

// An Operation is what a list is uploaded for.
type Operation int

// The operations.
const (
	Add    Operation = iota // digests become known
	Delete                  // digests are forgotten
)

func (op Operation) file() string {
	if op == Delete {
		return "digest_list_data_del"
	}
	return "digest_list_data"
}

// Check returns [ErrUnsupported] if the kernel whose securityfs is mounted at root has no
// digest lists, and another error if that cannot be told, as where one may not look.
func Check(root string) error {
	path := dataFile(root, Add)
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return openError(path, err)
	}
	return nil
}

func dataFile(root string, op Operation) string { return filepath.Join(root, "ima", op.file()) }

// A Window is an open digest_list_data file. From [Open] to [Window.Close] the
// kernel takes the calling thread for a parser and watches it: the goroutine is
// locked to its thread, and it may open nothing but digest lists, since one file
// that was not measured turns digest lists off until the next boot.
type Window struct {
	fd    int
	count int // digests_count, opened before; -1 if there is none
	path  string
}

// How long Open waits for another program to end its uploads: ten seconds.
const (
	openTries = 100
	openPause = 100 * time.Millisecond
)

// Open opens the data file below a securityfs mounted at root. It is
// [ErrUnsupported] if the kernel has none. While another program uploads lists, it
// tries again a hundred times, with a call of sleep in between.
func Open(root string, op Operation, sleep func(time.Duration)) (*Window, error) {
	path := dataFile(root, op)
	runtime.LockOSThread()
	count, err := unix.Open(filepath.Join(root, "ima", "digests_count"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		count = -1
	}
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0) }, sleep)
	if err != nil {
		closeIfOpen(count)
		runtime.UnlockOSThread()
		return nil, openError(path, err)
	}
	return &Window{fd, count, path}, nil
}

// retry calls open again as long as the file is busy, but not for ever.
func retry(open func() (int, error), sleep func(time.Duration)) (fd int, err error) {
	for range openTries {
		if fd, err = open(); err != unix.EBUSY && err != unix.EINTR {
			break
		}
		sleep(openPause)
	}
	return fd, err
}

func closeIfOpen(fd int) {
	if fd >= 0 {
		unix.Close(fd)
	}
}

func openError(path string, err error) error {
	switch err {
	case unix.ENOENT, unix.ENOTDIR:
		return fmt.Errorf("%w: no %s", ErrUnsupported, path)
	case unix.EBUSY:
		return fmt.Errorf("%s: another program is uploading lists, for %v now: %w", path, openTries*openPause, err)
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
}

// Count returns digests_count, the number of distinct digests that the kernel knows.
// Nothing is opened for it, and nobody else can change it while the window is open.
// ok is false where the kernel does not tell.
func (w *Window) Count() (n int, ok bool) {
	if w.count < 0 {
		return 0, false
	}
	var buf [24]byte
	size, err := unix.Pread(w.count, buf[:], 0)
	if err != nil {
		return 0, false
	}
	n, err = strconv.Atoi(string(bytes.TrimSpace(buf[:size])))
	return n, err == nil
}

// Upload writes one list, as data or as the absolute path of a compact list, with
// one write: the kernel parses each write as a whole list.
func (w *Window) Upload(data []byte) error {
	if len(data) >= MaxWrite {
		return fmt.Errorf("list of %d bytes: the kernel takes less than %d", len(data), MaxWrite)
	}
	n, err := unix.Write(w.fd, data)
	if err == nil && n != len(data) {
		err = fmt.Errorf("%d of %d bytes taken", n, len(data))
	}
	if err != nil {
		return fmt.Errorf("%s: %w%s", w.path, err, meaning(err))
	}
	return nil
}

// Close ends the window and frees the thread.
func (w *Window) Close() error {
	err := unix.Close(w.fd)
	closeIfOpen(w.count)
	runtime.UnlockOSThread()
	return err
}

// meaning explains the errors the kernel was seen to give for uploads.
func meaning(err error) string {
	switch {
	case errors.Is(err, unix.EACCES):
		return " (the kernel takes no lists: see the command line options ima_digest_list_pcr and" +
			" ima_appraise_digest_list, the policy, the list's signature, and whether this program is in a parser list)"
	case errors.Is(err, unix.ENOMEM):
		return " (the digest table is full: see the command line option ima_digest_db_size)"
	case errors.Is(err, unix.EINVAL):
		return " (the kernel refuses the list as malformed)"
	}
	return ""
}
