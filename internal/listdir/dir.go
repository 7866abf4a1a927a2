// Package listdir is the directory of digest lists, /etc/ima/digest_lists by
// default: the names in it, their order, reading and changing.
//
// A Dir reads one: it opens the directory once, refuses one that others could
// have tampered with, and reads lists by names relative to it.
//
//	dir, err := listdir.Open("/etc/ima/digest_lists")
//	…
//	defer dir.Close()
//	for _, list := range dir.Lists() {
//		buf, err = dir.ReadInto(list.File, buf)
//		…
//	}
//
// A Tx changes one. All changes of a Tx take effect in one step: whatever
// happens, other programs and the next boot find the directory as it was or as
// it should be.
//
// The names are those of formats(5): <position>-<type>_list-<format>-<label>.
package listdir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Default is the directory that the kernel and the tools use unless told
// otherwise.
const Default = "/etc/ima/digest_lists"

// A List is an entry of the directory whose name is that of a list. Whether it
// is a regular file shows when it is read.
type List struct {
	Name
	File string // the file name, equal to Name.String()

	dir bool
}

// String returns the file name.
func (l List) String() string { return l.File }

// A Dir is an open list directory and the names that were in it at that time.
// Reading from several goroutines is safe.
type Dir struct {
	path       string
	fd         int
	lists      []List
	signatures []string
	others     []string
}

// Open opens a list directory and reads the names in it; no list is opened.
//
// The directory must not be a symbolic link (ErrLink) nor anything else but a
// directory (ErrNotDirectory), must not be writable by others (ErrWritable) and
// must belong to root or the effective user (ErrOwner). A missing one is
// os.ErrNotExist.
func Open(path string) (*Dir, error) {
	d, err := openDir(path)
	if err != nil {
		return nil, err
	}
	if err := d.scan(); err != nil {
		d.Close()
		return nil, dirError(path, err)
	}
	return d, nil
}

// openDir opens the directory and checks it, but does not read the names.
func openDir(path string) (*Dir, error) {
	// With a slash at the end, open(2) would follow a link.
	clean := trimPath(path)
	fd, err := open(unix.AT_FDCWD, clean, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		var st unix.Stat_t
		if errors.Is(err, unix.ENOTDIR) && unix.Lstat(clean, &st) == nil {
			if err = ErrNotDirectory; st.Mode&unix.S_IFMT == unix.S_IFLNK {
				err = ErrLink
			}
		}
		return nil, dirError(path, err)
	}
	if err := checkOwner(fd); err != nil {
		unix.Close(fd)
		return nil, dirError(path, err)
	}
	return &Dir{path: path, fd: fd}, nil
}

// checkOwner refuses a directory in which somebody without the rights of this
// process could put lists.
func checkOwner(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IWOTH != 0 {
		return fmt.Errorf("%w: mode %04o", ErrWritable, st.Mode&0o7777)
	}
	if st.Uid != 0 && st.Uid != uint32(os.Geteuid()) {
		return fmt.Errorf("%w: uid %d, want root or %d", ErrOwner, st.Uid, os.Geteuid())
	}
	return nil
}

// trimPath removes what makes open(2) follow a link at the end of a path.
func trimPath(path string) string {
	for len(path) > 1 && (strings.HasSuffix(path, "/") || strings.HasSuffix(path, "/.")) {
		path = path[:strings.LastIndexByte(path, '/')]
		if path == "" {
			return "/"
		}
	}
	return path
}

// scan reads the names.
func (d *Dir) scan() error {
	entries, err := readDirents(d.fd)
	if err != nil {
		return err
	}
	d.lists = make([]List, 0, len(entries))
	for _, e := range entries {
		if name, ok := ParseName(e.name); ok {
			d.lists = append(d.lists, List{Name: name, File: e.name, dir: e.isDir(d.fd)})
		} else if IsSignature(e.name) {
			d.signatures = append(d.signatures, e.name)
		} else {
			d.others = append(d.others, e.name)
		}
	}
	slices.SortFunc(d.lists, compareLists)
	slices.Sort(d.signatures)
	slices.Sort(d.others)
	return nil
}

// compareLists is the order in which lists are loaded: keys, which the others
// may be signed with, then parsers, files and metadata, each by position.
func compareLists(a, b List) int {
	if a.Type != b.Type {
		return cmp.Compare(a.Type, b.Type)
	}
	if a.Position != b.Position {
		return cmp.Compare(a.Position, b.Position)
	}
	return strings.Compare(a.File, b.File)
}

// Close closes the directory. No other method may be called afterwards.
func (d *Dir) Close() error {
	if d.fd < 0 {
		return nil
	}
	fd := d.fd
	d.fd = -1
	return unix.Close(fd)
}

// Path returns the path as it was given to Open.
func (d *Dir) Path() string { return d.path }

// Lists returns the lists in loading order: by type (key, parser, file,
// metadata), then by position as a number, then by name. The slice belongs to d.
func (d *Dir) Lists() []List { return d.lists }

// Signatures returns the names of the detached signatures, sorted.
func (d *Dir) Signatures() []string { return d.signatures }

// Others returns the names that are neither lists nor signatures, sorted. The
// ParserLink is one of them.
func (d *Dir) Others() []string { return d.others }
