package mutable

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"digestlists/internal/inroot"

	"golang.org/x/sys/unix"
)

// Restore replaces the files that differ from their copies, each in one step, and
// returns their names. A killed run can be done again.
func (b *Backup) Restore() (replaced []string, err error) {
	files, err := b.Files()
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		changed, err := b.restore(name)
		if err != nil {
			return replaced, fmt.Errorf("put back %s: %w", name, err)
		}
		if changed {
			replaced = append(replaced, name)
		}
	}
	unix.Sync() // the folders of the files may be on any file system
	return replaced, nil
}

func (b *Backup) restore(name string) (changed bool, err error) {
	if err := b.remakeFolders(path.Dir(name)); err != nil {
		return false, err
	}
	dir, base, err := b.store.root.Parent(name)
	if err != nil {
		return false, err
	}
	defer dir.Close()
	if there, err := inroot.OpenAt(dir, base, name); err == nil {
		equal, err := b.matches(name, there)
		there.Close()
		if err != nil || equal {
			return false, err
		}
	} else if !inroot.Gone(err) {
		return false, err
	}
	return true, b.replace(dir, base, name)
}

// replace puts a copy beside the file and renames it. The temporary name follows from the
// file's, so that what a killed run left is used up by the next.
func (b *Backup) replace(dir *os.File, base, name string) error {
	copied, err := b.open(name)
	if err != nil {
		return err
	}
	defer copied.Close()
	hash := sha256.Sum256([]byte(base))
	temp := fmt.Sprintf(".digestlist-%x", hash[:8])
	if err := unix.Unlinkat(int(dir.Fd()), temp, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	fd, err := unix.Openat(int(dir.Fd()), temp, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), path.Join(path.Dir(name), temp))
	defer file.Close()
	for _, step := range []func() error{
		func() error { return copyContent(file, copied) },
		func() error { return setLike(file, copied) },
		func() error { return setTimes(dir, temp, copied) },
		file.Sync,
		func() error { return unix.Renameat(int(dir.Fd()), temp, int(dir.Fd()), base) },
	} {
		if err := step(); err != nil {
			return errors.Join(err, ignoreMissing(unix.Unlinkat(int(dir.Fd()), temp, 0)))
		}
	}
	return nil
}

func setTimes(dir *os.File, base string, like *os.File) error {
	st, err := stat(like)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(int(dir.Fd()), base, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// remakeFolders makes those folders of a file that are gone, like they were.
func (b *Backup) remakeFolders(folder string) error {
	if folder == "/" {
		return nil
	}
	if there, err := b.store.root.OpenFolder(folder); err == nil {
		return there.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := b.remakeFolders(path.Dir(folder)); err != nil {
		return err
	}
	dir, base, err := b.store.root.Parent(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Mkdirat(int(dir.Fd()), base, 0o700); err != nil {
		return err
	}
	made, err := b.store.root.OpenFolder(folder)
	if err != nil {
		return err
	}
	defer made.Close()
	like, err := b.store.dir.Open(b.Name + folder)
	if err != nil {
		return err
	}
	defer like.Close()
	return setLike(made, like)
}

// Done marks the copies as put back: they stay, under the name LIST.orig. Those that
// had this name before are gone then.
func (b *Backup) Done() error {
	s, done := b.store, b.Name+doneSuffix
	if err := s.Sync(); err != nil {
		return err
	}
	if err := s.dir.RemoveAll(done); err != nil {
		return err
	}
	return b.Rename(done)
}
