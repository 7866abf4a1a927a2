package listdir

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// The classes of errors, for errors.Is. A missing directory or list is
// os.ErrNotExist, missing permission os.ErrPermission.
var (
	// ErrLink is a symbolic link in place of the directory, a list or a signature.
	ErrLink = errors.New("is a symbolic link")
	// ErrNotDirectory is anything else in place of the directory.
	ErrNotDirectory = errors.New("is not a directory")
	// ErrNotRegular is a folder, fifo, socket or device in place of a file.
	ErrNotRegular = errors.New("is not a regular file")
	// ErrWritable is a directory that anybody may change.
	ErrWritable = errors.New("is writable by others")
	// ErrOwner is a directory of somebody else than root and the current user.
	ErrOwner = errors.New("belongs to another user")
	// ErrChanged is a file or directory that was changed while it was used.
	ErrChanged = errors.New("was changed by somebody else meanwhile")
	// ErrInUse is a directory that another run is changing.
	ErrInUse = errors.New("in use by another run")
	// ErrPosition is a position without a list, or one that would leave a gap.
	ErrPosition = errors.New("no such position")
	// ErrAmbiguous is a position that several lists share.
	ErrAmbiguous = errors.New("several lists have this position")
	// ErrExchange is a file system where directories cannot be replaced in one step.
	ErrExchange = errors.New("cannot be replaced in one step")
	// ErrInPlace is what went wrong after the changes were made: they stay.
	ErrInPlace = errors.New("changes are in place")
)

// dirError names the directory in an error.
func dirError(path string, err error) error {
	return fmt.Errorf("digest list directory %q: %w", path, err)
}

// fileError names a file of the directory in an error.
func fileError(path, file string, err error) error {
	return fmt.Errorf("digest list %q in %q: %w", file, path, err)
}

// kindError returns the error for a file that has to be a regular one.
func kindError(mode uint32) error {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return fmt.Errorf("%w but a directory", ErrNotRegular)
	case unix.S_IFIFO:
		return fmt.Errorf("%w but a fifo", ErrNotRegular)
	case unix.S_IFLNK:
		return ErrLink
	case unix.S_IFSOCK:
		return fmt.Errorf("%w but a socket", ErrNotRegular)
	default:
		return fmt.Errorf("%w but a device", ErrNotRegular)
	}
}
