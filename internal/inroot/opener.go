package inroot

import (
	"os"
	"path"
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
	folder, base := path.Split(path.Clean("/" + name))
	if folder != o.folder {
		o.Close()
		o.folder = folder
		o.dir, o.err = o.openFolder()
	}
	if o.err != nil {
		return nil, o.err
	}
	return OpenAt(o.dir, base, name)
}

func (o *Opener) openFolder() (*os.File, error) {
	real, err := o.Root.Real(o.folder)
	if err != nil {
		return nil, err
	}
	dir, _, err := o.Root.Parent(path.Join(real, "file"))
	return dir, err
}

// Close closes the folder of the last file.
func (o *Opener) Close() {
	if o.dir != nil {
		o.dir.Close()
		o.dir = nil
	}
}
