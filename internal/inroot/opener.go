package inroot

import (
	"errors"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// An Opener opens one file after the other, through the links of folders but not through
// one in place of the file. Many files in a row are in the same folder, which is looked for
// once.
type Opener struct {
	Root *Root

	folder string   // of the last file
	dir    *os.File // that folder, nil if it cannot be opened
	err    error
}

// Open opens a regular file for reading.
func (o *Opener) Open(name string) (*os.File, error) {
	dir, base, err := o.parent(name)
	if err != nil {
		return nil, err
	}
	return OpenAt(dir, base, name)
}

// OpenFd is Open without the care that package os takes of each file (to poll it, and to
// close it when it is forgotten), which costs as much as all else of a small one.
func (o *Opener) OpenFd(name string) (fd int, st *unix.Stat_t, err error) {
	dir, base, err := o.parent(name)
	if err != nil {
		return -1, nil, err
	}
	return openFile(int(dir.Fd()), base, name)
}

// parent returns the open folder of a file, and the last part of the name.
func (o *Opener) parent(name string) (dir *os.File, base string, err error) {
	folder, base := path.Split(path.Clean("/" + name))
	if folder != o.folder {
		o.Close()
		o.folder = folder
		o.dir, o.err = o.openFolder()
	}
	return o.dir, base, o.err
}

// openFolder looks for links only where there are any.
func (o *Opener) openFolder() (*os.File, error) {
	dir, _, err := o.Root.Parent(path.Join(o.folder, "file"))
	if !errors.Is(err, ErrLink) {
		return dir, err
	}
	real, err := o.Root.Real(o.folder)
	if err != nil {
		return nil, err
	}
	dir, _, err = o.Root.Parent(path.Join(real, "file"))
	return dir, err
}

// Close closes the folder of the last file.
func (o *Opener) Close() {
	if o.dir != nil {
		o.dir.Close()
		o.dir = nil
	}
}
