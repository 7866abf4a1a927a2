// Package securityfs talks to a kernel that has IMA digest lists. It is the only
// place that knows the kernel's paths.
package securityfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

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

// A Window is an open digest_list_data file. From [Open] to [Window.Close] the
// kernel takes the calling thread for a parser and watches it: the goroutine is
// locked to its thread, and it may open nothing but digest lists, since one file
// that was not measured turns digest lists off until the next boot.
type Window struct {
	fd   int
	path string
}

// Open opens the data file below a securityfs mounted at root. It is
// [ErrUnsupported] if the kernel has none.
func Open(root string, op Operation) (*Window, error) {
	dir := filepath.Join(root, "ima")
	path := filepath.Join(dir, op.file())
	runtime.LockOSThread()
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return nil, openError(path, err)
	}
	return &Window{fd: fd, path: path}, nil
}

func openError(path string, err error) error {
	switch err {
	case unix.ENOENT, unix.ENOTDIR:
		return fmt.Errorf("%w: no %s", ErrUnsupported, path)
	case unix.EBUSY:
		return fmt.Errorf("%s: another program is uploading lists: %w", path, err)
	}
	return &os.PathError{Op: "open", Path: path, Err: err}
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
