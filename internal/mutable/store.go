package mutable

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"digestlists/internal/inroot"
	"digestlists/internal/listdir"

	"golang.org/x/sys/unix"
)

// Dir is where copies are kept.
const Dir = "/backup"

const (
	doneSuffix = ".orig"
	// work is where copies are made until they are whole. What a killed run left
	// there, the next one removes.
	work = ".new"
)

// errUnsafe is a folder of copies that somebody else can write to.
var errUnsafe = errors.New("others can write to it")

// A Store is the folder of copies of a system, locked against other runs.
type Store struct {
	root *inroot.Root
	dir  *os.Root
	lock *os.File
}

// Open opens the folder of copies, and makes it where it is missing. It must belong to root
// or this user, and nobody else may write to it. Another run that has it open is an error.
func Open(root *inroot.Root) (*Store, error) {
	name := root.Path(Dir)
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	s := &Store{root: root}
	if err := s.open(name); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(name string) (err error) {
	if s.lock, err = os.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0); err != nil {
		return err
	}
	st, err := stat(s.lock)
	if err != nil {
		return err
	}
	if st.Mode&0o022 != 0 || st.Uid != 0 && st.Uid != uint32(os.Geteuid()) {
		return fmt.Errorf("%s: %w: mode %04o, uid %d", name, errUnsafe, st.Mode&0o7777, st.Uid)
	}
	switch err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
	case unix.EWOULDBLOCK:
		return fmt.Errorf("%s: another run uses it: %w", name, err)
	default:
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if s.dir, err = os.OpenRoot(name); err != nil {
		return err
	}
	return s.dir.RemoveAll(work)
}

// Close gives the folder free for other runs.
func (s *Store) Close() error {
	if s.dir != nil {
		s.dir.RemoveAll(work)
		s.dir.Close()
	}
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// A Backup is the copies of the files of one list.
type Backup struct {
	store *Store
	Name  string // in the folder: the file name that the list had
}

// Backups returns the copies of lists that are yet to be put back, sorted by name.
func (s *Store) Backups() ([]*Backup, error) {
	return s.list(func(name string) bool {
		_, isList := listdir.ParseName(name)
		return isList && !strings.HasSuffix(name, doneSuffix)
	})
}

// All returns the copies of all lists, also of those that were put back.
func (s *Store) All() ([]*Backup, error) {
	return s.list(func(name string) bool {
		_, isList := listdir.ParseName(name)
		return isList
	})
}

func (s *Store) list(want func(name string) bool) ([]*Backup, error) {
	entries, err := fs.ReadDir(s.dir.FS(), ".")
	var all []*Backup
	for _, e := range entries {
		if e.IsDir() && want(e.Name()) {
			all = append(all, &Backup{s, e.Name()})
		}
	}
	return all, err
}

// Of reports whether these are the copies of a list. Lists may have moved to another
// position since.
func (b *Backup) Of(list listdir.Name) bool {
	name, _ := listdir.ParseName(strings.TrimSuffix(b.Name, doneSuffix))
	name.Position = list.Position
	return name == list
}

// Files returns the names, on the system, of the files that there are copies of, sorted.
func (b *Backup) Files() ([]string, error) {
	var files []string
	err := fs.WalkDir(b.store.dir.FS(), b.Name, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, strings.TrimPrefix(name, b.Name))
		}
		return err
	})
	slices.Sort(files)
	return files, err
}

// open opens the copy of a file.
func (b *Backup) open(name string) (*os.File, error) {
	return b.store.dir.OpenFile(b.Name+name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// Take copies files to where Rename gives them the name of a list. Busy are those that
// a program has open for writing.
func (s *Store) Take(files []string) (b *Backup, busy []string, err error) {
	b = &Backup{s, work + "/" + "copies"}
	if err := s.room(files); err != nil {
		return nil, nil, err
	}
	for _, name := range files {
		src, err := s.root.Open(name)
		if err != nil {
			return nil, nil, err
		}
		isBusy, err := b.put(name, src)
		src.Close()
		if err != nil {
			return nil, nil, err
		}
		if isBusy {
			busy = append(busy, name)
		}
	}
	return b, busy, s.Sync()
}

// room reports whether there is room for copies of files.
func (s *Store) room(files []string) error {
	var have unix.Statfs_t
	var bytes uint64
	for _, name := range files {
		f, err := s.root.Open(name)
		if err != nil {
			return err
		}
		st, err := stat(f)
		f.Close()
		if err != nil {
			return err
		}
		bytes += uint64(st.Size)
	}
	if err := unix.Fstatfs(int(s.lock.Fd()), &have); err != nil {
		return err
	}
	if free := have.Bavail * uint64(have.Bsize); bytes > free {
		return fmt.Errorf("%s: copies of %d files need %d MiB, and %d are free: %w", s.lock.Name(), len(files), bytes>>20, free>>20, unix.ENOSPC)
	}
	return nil
}

// put makes a new copy of an open file and then puts it into its place.
func (b *Backup) put(name string, src *os.File) (busy bool, err error) {
	s := b.store
	if err := s.dir.MkdirAll(work, 0o700); err != nil {
		return false, err
	}
	if err := b.makeFolders(path.Dir(name)); err != nil {
		return false, err
	}
	temp := fmt.Sprintf("%s/%016x", work, rand.Uint64())
	dst, err := s.dir.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, err
	}
	defer dst.Close()
	if busy, err = copyStable(dst, src); err == nil {
		err = setLike(dst, src)
	}
	if err == nil {
		err = s.keepTimes(temp, src)
	}
	if err != nil {
		return false, errors.Join(err, s.dir.Remove(temp))
	}
	return busy, s.dir.Rename(temp, b.Name+name)
}

func (s *Store) keepTimes(name string, src *os.File) error {
	st, err := stat(src)
	if err != nil {
		return err
	}
	return s.dir.Chtimes(name, time.Unix(st.Atim.Unix()), time.Unix(st.Mtim.Unix()))
}

// makeFolders makes the folders for a copy, like those of the file, so that these can
// be made anew should they be gone.
func (b *Backup) makeFolders(folder string) error {
	dir := b.store.dir
	if _, err := dir.Lstat(b.Name + folder); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if folder == "/" {
		return dir.MkdirAll(b.Name, 0o700)
	}
	if err := b.makeFolders(path.Dir(folder)); err != nil {
		return err
	}
	if err := dir.Mkdir(b.Name+folder, 0o700); err != nil {
		return err
	}
	src, err := b.store.root.OpenFolder(folder)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := dir.Open(b.Name + folder)
	if err != nil {
		return err
	}
	defer dst.Close()
	return setLike(dst, src)
}

// Rename gives the copies the name of their list.
func (b *Backup) Rename(list string) error {
	if err := b.store.dir.Rename(b.Name, list); err != nil {
		return err
	}
	b.Name = list
	return b.store.lock.Sync()
}

// Remove removes the copies.
func (b *Backup) Remove() error { return b.store.dir.RemoveAll(b.Name) }

// RemoveEmpty removes the folder of copies of which none is left.
func (b *Backup) RemoveEmpty() error {
	files, err := b.Files()
	if err != nil || len(files) > 0 {
		return err
	}
	return b.Remove()
}

// Sync makes durable what was copied.
func (s *Store) Sync() error {
	if err := unix.Syncfs(int(s.lock.Fd())); err != nil {
		return &fs.PathError{Op: "sync", Path: s.lock.Name(), Err: err}
	}
	return nil
}
