package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"digestlists/internal/atomicfile"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// Changed returns the files of groups that are neither as these left them nor as they
// were before: what somebody else has changed since.
func (j *Journal) Changed() ([]string, error) {
	left := make(map[string]string) // as the last group left it
	for _, g := range j.Groups() {
		maps.Copy(left, g.left)
	}
	var changed []string
	for _, path := range slices.Sorted(maps.Keys(left)) {
		sum, err := j.sum(path)
		if err != nil {
			return nil, err
		}
		if sum != left[path] && !j.wasSaved(path, sum) {
			changed = append(changed, path)
		}
	}
	return changed, nil
}

// wasSaved reports whether a file is as some group found it: as it is when that was
// undone already.
func (j *Journal) wasSaved(path, sum string) bool {
	return slices.ContainsFunc(j.groups, func(g *Group) bool {
		return slices.ContainsFunc(g.files, func(f SavedFile) bool { return f.Path == path && f.SHA256 == sum })
	})
}

// Undo takes a group back. Those that began later must be undone already.
func (j *Journal) Undo(g *Group) error {
	// Folders above come before what is in them.
	for _, f := range g.files {
		if err := j.failure("restore " + f.Path); err != nil {
			return err
		}
		if err := j.restore(f); err != nil {
			return fmt.Errorf("restore %s: %w", f.Path, err)
		}
	}
	// What was done in a folder changes its time: last.
	for _, f := range slices.Backward(g.files) {
		if f.Kind != Folder {
			continue
		}
		if err := j.restoreFolder(f); err != nil {
			return fmt.Errorf("restore %s: %w", f.Path, err)
		}
	}
	if err := j.syncFolders(g.files); err != nil {
		return err
	}
	return j.write(Record{Event: undone, Group: g.number})
}

// syncFolders makes what was renamed, made and removed last, before the journal says that
// it was done.
func (j *Journal) syncFolders(files []SavedFile) error {
	synced := make(map[string]bool)
	for _, f := range files {
		for _, folder := range []string{j.path(f.Path), j.path(filepath.Dir(f.Path))} {
			if info, err := os.Lstat(folder); err != nil || !info.IsDir() || synced[folder] {
				continue // that there is none is in the folder above
			}
			if err := atomicfile.SyncDir(folder); err != nil {
				return err
			}
			synced[folder] = true
		}
	}
	return nil
}

// temporary is where a file is written that is to be restored. The name is always
// the same, so that the next try removes what a killed one has left.
func temporary(full string) string {
	return filepath.Join(filepath.Dir(full), "."+filepath.Base(full)+".restore")
}

// restore makes a path what it was, but for the attributes of folders.
func (j *Journal) restore(f SavedFile) error {
	full := j.path(f.Path)
	if err := remove(temporary(full)); err != nil {
		return err
	}
	now, err := look(full)
	if errors.Is(err, ErrKind) {
		now, err = State{}, nil
	}
	if err != nil {
		return err
	}
	if now.Kind != f.Kind && now.Kind != Absent {
		if err := os.RemoveAll(full); err != nil {
			return err
		}
	}
	switch f.Kind {
	case Folder:
		if now.Kind != Folder {
			err = os.Mkdir(full, 0o700)
		}
	case Link:
		err = restoreLink(full, f.State, now)
	case File:
		err = j.restoreFile(full, f.State, now)
	}
	if err != nil {
		err = errors.Join(err, remove(temporary(full)))
	}
	return err
}

// remove asks first whether there is anything: a file system that is mounted read-only
// refuses to remove what is not there, too.
func remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return os.Remove(path)
}

func restoreLink(full string, was, now State) error {
	if now.Kind == Link && now.Target == was.Target {
		return setAttributes(full, was)
	}
	tmp := temporary(full)
	if err := os.Symlink(was.Target, tmp); err != nil {
		return err
	}
	if err := setAttributes(tmp, was); err != nil {
		return err
	}
	return os.Rename(tmp, full)
}

func (j *Journal) restoreFile(full string, was, now State) error {
	if now.Kind == File {
		sum, err := digest(full, io.Discard)
		if err != nil {
			return err
		}
		if sum == was.SHA256 {
			return setAttributes(full, was)
		}
	}
	tmp := temporary(full)
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	sum, err := digest(j.content(was), out)
	if err != nil {
		return err
	}
	if sum != was.SHA256 {
		return fmt.Errorf("%s: %w: its content has another digest", j.content(was), ErrDamaged)
	}
	if err := setAttributes(tmp, was); err != nil {
		return err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, full)
}

// restoreFolder removes what was not in a folder that is kept with all that is in it,
// and gives it its attributes back.
func (j *Journal) restoreFolder(f SavedFile) error {
	full := j.path(f.Path)
	if f.Whole {
		present, err := names(full)
		if err != nil {
			return err
		}
		for _, name := range present {
			if slices.Contains(f.Names, name) {
				continue
			}
			if err := os.RemoveAll(filepath.Join(full, name)); err != nil {
				return err
			}
		}
	}
	return setAttributes(full, f.State)
}

// setAttributes sets all that is not content. The owner comes before the mode and
// the attributes, since a change of it removes setuid bits and capabilities; the time is last.
// What is as it was is not written to: its file system may be read-only.
func setAttributes(full string, was State) error {
	now, err := look(full)
	if err != nil || now.sameAttributes(was) {
		return err
	}
	if now.UID != was.UID || now.GID != was.GID {
		if err := os.Lchown(full, was.UID, was.GID); err != nil {
			return err
		}
	}
	if was.Kind != Link {
		if err := unix.Chmod(full, was.Mode); err != nil {
			return err
		}
	}
	if err := setXattrs(full, was.Attrs); err != nil {
		return err
	}
	return setTime(full, was.Time)
}

func setXattrs(full string, want map[string][]byte) error {
	have, err := attributes(full)
	if err != nil {
		return err
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			if err := xattr.Remove(full, name); err != nil {
				return err
			}
		}
	}
	for name, value := range want {
		if old, ok := have[name]; ok && string(old) == string(value) {
			continue
		}
		if err := xattr.Set(full, name, value); err != nil {
			return err
		}
	}
	return nil
}

func setTime(full string, ns int64) error {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(ns)}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, full, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "set time", Path: full, Err: err}
	}
	return nil
}
