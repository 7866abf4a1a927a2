package rpmdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"digestlists/internal/inroot"
)

// Folders in which distributions keep the database, relative to the root.
var folders = []string{"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"}

// Names of the database's main file, in RPM's order of preference.
var names = []string{"rpmdb.sqlite", "Packages.db", "Packages"}

// Find returns the path of the main file of the RPM database under a root
// directory, "" meaning "/".
//
// It looks in /var/lib/rpm, /usr/lib/sysimage/rpm and /usr/share/rpm for
// rpmdb.sqlite, Packages.db and Packages. Links are followed as they would be by a
// process whose root this is, so they never lead out of it. Empty files, as an
// interrupted conversion leaves behind, count only where there is nothing else.
//
// The error is ErrNoDatabase, or ErrAmbiguous where several different files are
// there: RPM would read the one it is configured for, which cannot be known here.
func Find(root string) (string, error) {
	if root == "" {
		root = "/"
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return "", fmt.Errorf("root: %w", err)
	}
	defer r.Close()

	var found candidates
	for _, folder := range folders {
		for _, name := range names {
			if err := found.add(r, root, path.Join(folder, name)); err != nil {
				return "", err
			}
		}
	}
	return found.choose(fmt.Sprintf("%q: looked in /%s", root, strings.Join(folders, ", /")))
}

// candidates are the distinct files that a database may be in.
type candidates struct {
	paths []string
	infos []fs.FileInfo
	empty []string
}

func (c *candidates) add(r *os.Root, root, name string) error {
	resolved, err := inroot.Resolve(r, name)
	if err != nil {
		return absent(err)
	}
	info, err := r.Lstat(resolved)
	if err != nil {
		return absent(err)
	}
	c.addFile(filepath.Join(root, filepath.FromSlash(resolved)), info)
	return nil
}

func (c *candidates) addFile(name string, info fs.FileInfo) {
	for _, known := range c.infos {
		if os.SameFile(known, info) {
			return
		}
	}
	if info.Mode().IsRegular() && info.Size() == 0 {
		c.empty = append(c.empty, name)
		return
	}
	c.paths = append(c.paths, name)
	c.infos = append(c.infos, info)
}

func (c *candidates) choose(where string) (string, error) {
	switch {
	case len(c.paths) > 1:
		return "", fmt.Errorf("%w: %s: name the one to read", ErrAmbiguous, quoteAll(c.paths))
	case len(c.paths) == 1:
		return c.paths[0], nil
	case len(c.empty) > 0:
		return "", fmt.Errorf("%w: %s: empty file", ErrNoDatabase, quoteAll(c.empty))
	default:
		return "", fmt.Errorf("%w: %s for %s", ErrNoDatabase, where, strings.Join(names, ", "))
	}
}

func quoteAll(paths []string) string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = fmt.Sprintf("%q", p)
	}
	return strings.Join(quoted, ", ")
}

// absent turns the errors of a path that is not there into nil.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}
