package securityfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Mount mounts securityfs, and sysfs below it, where they are missing, as at early
// boot. The returned function unmounts what was mounted and nothing else.
func Mount() (unmount func() error, err error) {
	var mounted []string
	unmount = func() error {
		var errs []error
		for i := len(mounted) - 1; i >= 0; i-- {
			if err := unix.Unmount(mounted[i], 0); err != nil {
				errs = append(errs, fmt.Errorf("unmount %s: %w", mounted[i], err))
			}
		}
		return errors.Join(errs...)
	}
	for _, m := range []struct{ fsType, target, sign string }{
		{"sysfs", "/sys", "/sys/kernel"},
		{"securityfs", MountPoint, MountPoint + "/ima"},
	} {
		if _, err := os.Stat(m.sign); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		err := unix.Mount(m.fsType, m.target, m.fsType, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
		if err == unix.EBUSY { // mounted already; this kernel has no IMA
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("mount %s on %s: %w", m.fsType, m.target, err), unmount())
		}
		mounted = append(mounted, m.target)
	}
	return unmount, nil
}
