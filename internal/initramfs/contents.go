package initramfs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/cpio"
	"digestlists/internal/regular"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// What initramfs/build.sh puts into an image, besides the lists.
const (
	uploader   = "usr/bin/upload_digest_lists"
	policy     = "etc/ima/ima-policy"
	keys       = "etc/keys"
	attributes = ".attributes" // after the directory of the lists: what setfattr --restore reads
)

// Wanted is what each image of a system should have: of files, by their names without a /
// at the beginning, the SHA-256 of their content, and security.ima of those that have it.
type Wanted struct {
	dir        string
	files      map[string][sha256.Size]byte
	signatures map[string][]byte
}

// A Contents is what an image has of it. All names are sorted.
type Contents struct {
	Image    string
	Missing  []string // files that are not in it
	Other    []string // files that are, with another content
	Extra    []string // lists in it that the directory does not have
	Unsigned []string // lists and the uploader, if the image has no security.ima for them, or another one
	Lists    int      // lists in it that are those of the directory
}

// Current reports whether an image has all that there is now, and no list that there was.
func (c *Contents) Current() bool {
	return len(c.Missing)+len(c.Other)+len(c.Extra)+len(c.Unsigned) == 0
}

// Loads reports whether the image has an uploader and a list to load.
func (c *Contents) Loads() bool { return c.Lists > 0 && !slices.Contains(c.Missing, uploader) }

// Want reads what images of the system at root should have, with lists from dir.
func Want(root, dir string) (*Wanted, error) {
	w := &Wanted{
		dir:   strings.Trim(filepath.Clean(dir), "/"),
		files: make(map[string][sha256.Size]byte), signatures: make(map[string][]byte),
	}
	for _, folder := range []string{w.dir, w.dir + ".sig", keys} {
		entries, err := os.ReadDir(below(root, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if e.Type().IsRegular() && (folder != keys || strings.HasSuffix(e.Name(), ".der")) {
				if err := w.add(root, filepath.Join(folder, e.Name())); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, name := range []string{uploader, policy} {
		if err := w.add(root, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return w, nil
}

func (w *Wanted) add(root, name string) error {
	path := below(root, name)
	f, err := regular.Open(path, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if w.files[name], err = sum(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !w.carriesAttributes(name) {
		return nil
	}
	value, err := xattr.GetFd(int(f.Fd()), "security.ima")
	if errors.Is(err, xattr.ErrAbsent) || errors.Is(err, xattr.ErrUnsupported) {
		return nil
	}
	w.signatures[name] = value
	return err
}

func (w *Wanted) carriesAttributes(name string) bool {
	return name == uploader || filepath.Dir(name) == w.dir
}

func sum(r io.Reader) (digest [sha256.Size]byte, err error) {
	h := sha256.New()
	_, err = io.Copy(h, r)
	return [sha256.Size]byte(h.Sum(nil)), err
}

// Lists reports whether there is a list to be loaded.
func (w *Wanted) Lists() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(w.files)), w.isList)
}

// isList goes by the name, as build.sh does.
func (w *Wanted) isList(name string) bool {
	return filepath.Dir(name) == w.dir && strings.Contains(filepath.Base(name), "_list-")
}

// found is what is read of an image.
type found struct {
	files    map[string][sha256.Size]byte
	links    map[[3]uint32][]string // names of files that have several
	manifest []byte
}

// Inspect compares what is in an image with what should be. An image that cannot be
// read to its end is an error: damage, ErrNoProgram, or of the system.
func (w *Wanted) Inspect(image string) (*Contents, error) {
	in := &found{files: make(map[string][sha256.Size]byte), links: make(map[[3]uint32][]string)}
	if err := readImage(image, func(h *cpio.Header, content io.Reader) error { return w.visit(in, h, content) }); err != nil {
		return nil, err
	}
	signatures, err := readManifest(in.manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %s%s: %w", image, w.dir, attributes, err)
	}
	return w.compare(image, in, signatures), nil
}

// maxManifest is room for the attributes of more lists than any system has.
const maxManifest = 256 << 20

func (w *Wanted) visit(in *found, h *cpio.Header, content io.Reader) error {
	_, wanted := w.files[h.Name]
	switch {
	case h.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil
	case h.Name == w.dir+attributes && h.Size > maxManifest:
		return fmt.Errorf("%s: %w: %d bytes, want at most %d", h.Name, regular.ErrTooLarge, h.Size, maxManifest)
	case h.Name == w.dir+attributes:
		var err error
		in.manifest, err = io.ReadAll(content)
		return err
	case h.Links > 1: // the last name has the content, which may not be the one that is wanted
		in.links[h.File] = append(in.links[h.File], h.Name)
	case !wanted && !w.isList(h.Name):
		return nil
	}
	digest, err := sum(content)
	in.files[h.Name] = digest
	for _, name := range in.links[h.File] {
		in.files[name] = digest
	}
	return err
}

func (w *Wanted) compare(image string, in *found, signatures map[string][]byte) *Contents {
	c := &Contents{Image: image}
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		digest, there := in.files[name]
		switch {
		case !there:
			c.Missing = append(c.Missing, name)
			continue
		case digest != w.files[name]:
			c.Other = append(c.Other, name)
			continue
		case w.isList(name):
			c.Lists++
		}
		if !bytes.Equal(signatures[name], w.signatures[name]) {
			c.Unsigned = append(c.Unsigned, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.files)) {
		if _, wanted := w.files[name]; !wanted && w.isList(name) {
			c.Extra = append(c.Extra, name)
		}
	}
	return c
}
