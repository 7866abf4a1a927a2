package boot

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A File is a member of an initramfs.
type File struct {
	Path    string // absolute
	Mode    uint32 // of stat(2): kind and permissions
	Content []byte // of a file; the target of a link
	Device  uint64 // of a device, made with unix.Mkdev

	// Attributes are security.ima and the like, which only kernels with digest lists read.
	Attributes map[string][]byte
}

// Dir is a folder that everyone can read. Folders of files are made by
// [WriteCPIO]; this is for empty ones.
func Dir(path string) File { return File{Path: path, Mode: unix.S_IFDIR | 0o755} }

// Regular is a file that everyone can read.
func Regular(path string, content []byte) File {
	return File{Path: path, Mode: unix.S_IFREG | 0o644, Content: content}
}

// Program is a file that everyone can run.
func Program(path string, content []byte) File {
	return File{Path: path, Mode: unix.S_IFREG | 0o755, Content: content}
}

// Device is a character device that everyone can use.
func Device(path string, major, minor uint32) File {
	return File{Path: path, Mode: unix.S_IFCHR | 0o666, Device: unix.Mkdev(major, minor)}
}

// WriteCPIO writes an initramfs in the "newc" format, with the folders in which
// the files are. Source: Documentation/driver-api/early-userspace/buffer-format.rst
// of the kernel.
func WriteCPIO(w io.Writer, files []File) error {
	c := &cpioWriter{w: bufio.NewWriter(w), folders: map[string]bool{"/": true}}
	for _, f := range files {
		c.parents(f.Path)
		c.member(f)
		if len(f.Attributes) > 0 {
			c.member(Regular("/METADATA!!!", metadata(f.Attributes)))
		}
	}
	c.member(File{Path: "/TRAILER!!!"})
	return c.w.Flush() // which returns the first error of all writes
}

// metadata is a member after that of the file whose attributes it has: for each, its
// size in eight hexadecimal digits, with these, version and type, which are 1, name, zero byte,
// value. Source: what openEuler's `dracut -e xattr` writes.
func metadata(attributes map[string][]byte) (all []byte) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		all = fmt.Appendf(all, "%08x\x01\x01%s\x00%s", 8+2+len(name)+1+len(attributes[name]), name, attributes[name])
	}
	return all
}

type cpioWriter struct {
	w       *bufio.Writer
	inode   int
	folders map[string]bool // written already
}

func (c *cpioWriter) parents(name string) {
	if dir := path.Dir(name); !c.folders[dir] {
		c.parents(dir)
		c.member(Dir(dir))
	}
}

func (c *cpioWriter) member(f File) {
	if f.Mode&unix.S_IFMT == unix.S_IFDIR {
		c.folders[f.Path] = true
	}
	name := strings.TrimPrefix(f.Path, "/") + "\x00"
	c.inode++
	header := []uint32{
		uint32(c.inode), f.Mode, 0, 0, 1, 0, uint32(len(f.Content)), // user, group, links, time
		0, 0, unix.Major(f.Device), unix.Minor(f.Device), uint32(len(name)), 0,
	}
	c.w.WriteString("070701")
	for _, field := range header {
		fmt.Fprintf(c.w, "%08x", field)
	}
	c.w.WriteString(name)
	c.pad(6 + 8*len(header) + len(name))
	c.w.Write(f.Content)
	c.pad(len(f.Content))
}

// pad fills up to the next multiple of four bytes after a part of size n.
func (c *cpioWriter) pad(n int) {
	c.w.Write(make([]byte, -n&3))
}
