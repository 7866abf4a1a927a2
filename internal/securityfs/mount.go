package securityfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A fileSystem is one that is mounted where it is missing.
type fileSystem struct {
	name   string
	target string
	sign   string // is there if the file system is
	needed bool   // not being able to mount it is an error
}

// A kernel without securityfs, or without its folder in sysfs, has no digest lists:
// that is found out later. Proc only tells how the kernel was started.
var fileSystems = []fileSystem{
	{"sysfs", "/sys", "/sys/kernel", true},
	{"securityfs", MountPoint, MountPoint + "/ima", true},
	{"proc", ProcMountPoint, ProcMountPoint + "/cmdline", false},
}

// Mount mounts sysfs, securityfs and proc where they are missing, as at early boot.
// The returned function unmounts what was mounted and nothing else.
func Mount() (unmount func() error, err error) {
	var undo []func() error
	unmount = func() error {
		var errs []error
		for i := len(undo) - 1; i >= 0; i-- {
			errs = append(errs, undo[i]())
		}
		undo = nil
		return errors.Join(errs...)
	}
	for _, f := range fileSystems {
		steps, err := f.mount()
		undo = append(undo, steps...)
		if err != nil && f.needed {
			return nil, errors.Join(err, unmount())
		}
	}
	return unmount, nil
}

// mount mounts one file system, and makes its folder, where they are missing. It
// returns how to undo what it did, also with an error.
func (f fileSystem) mount() (undo []func() error, err error) {
	if _, err := os.Stat(f.sign); !errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if f.name != "securityfs" && os.Mkdir(f.target, 0o555) == nil {
		undo = append(undo, func() error { return os.Remove(f.target) })
	}
	err = unix.Mount(f.name, f.target, f.name, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	switch {
	case err == nil:
		undo = append(undo, func() error {
			if err := unix.Unmount(f.target, 0); err != nil {
				return fmt.Errorf("unmount %s: %w", f.target, err)
			}
			return nil
		})
	case err == unix.EBUSY: // mounted already; this kernel has no IMA
		err = nil
	case f.name == "securityfs" && (err == unix.ENODEV || err == unix.ENOENT): // nor securityfs
		err = nil
	default:
		err = fmt.Errorf("mount %s on %s: %w", f.name, f.target, err)
	}
	return undo, err
}
