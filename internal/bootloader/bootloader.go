// Package bootloader adds entries with further kernel arguments to the menu of a boot
// loader, beside those that are there, and removes them again. The entries of before
// are not changed: they still boot, and stay the default.
package bootloader

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The errors.
var (
	// ErrUnknown: there is no boot loader that this package knows.
	ErrUnknown = errors.New("no known boot loader: neither GRUB with /etc/grub.d, nor entries in /boot/loader/entries, nor grubby")
	// ErrAbsent: there is no entry of that name.
	ErrAbsent = errors.New("no such entry")
	// ErrArgument: a kernel argument has characters that a boot loader may read differently.
	ErrArgument = errors.New("not a kernel argument that every boot loader takes as it is")
)

// An Entry is one that this package adds: for each kernel in the menu, one with these
// arguments as well.
type Entry struct {
	Name string   `json:"name"` // such as log: lower case letters
	Args []string `json:"args"` // such as ima_hash=sha256
}

const titleStart = " (digest lists, "

// title is what the menu shows after the title of the entry that it was made from.
func (e Entry) title() string { return titleStart + e.Name + ")" }

var (
	name     = regexp.MustCompile(`^[a-z]+$`)
	argument = regexp.MustCompile(`^[A-Za-z0-9_.-]+(=[A-Za-z0-9_.,:+/-]*)?$`)
)

func (e Entry) check() error {
	if !name.MatchString(e.Name) {
		return fmt.Errorf("entry %q: want lower case letters", e.Name)
	}
	for _, a := range e.Args {
		if !argument.MatchString(a) {
			return fmt.Errorf("%q: %w", a, ErrArgument)
		}
	}
	return nil
}

// replaces reports whether an entry sets what an argument of before says, or would say
// something else beside it.
func (e Entry) replaces(arg string) bool {
	key, _, _ := strings.Cut(arg, "=")
	return slices.ContainsFunc(e.Args, func(a string) bool {
		own, _, _ := strings.Cut(a, "=")
		return own == key
	})
}

// A Loader is a boot loader.
type Loader interface {
	// Name is what to call it.
	Name() string
	// Entries returns the entries that were added, sorted by name.
	Entries() ([]Entry, error)
	// Images returns the initramfs images of the entries that were added, by the names that
	// the boot loader has for them.
	Images() ([]string, error)
	// Touches returns the paths, below the root, that Add and Remove may change.
	Touches(name string) ([]string, error)
	// Add adds an entry, or replaces the one of that name.
	Add(Entry) error
	// Remove removes an entry; ErrAbsent if there is none.
	Remove(name string) error
}

// Detect finds the boot loader of the system below root, which is "" for the running
// one. ErrUnknown if there is none that it knows.
func Detect(root string) (Loader, error) {
	root, err := filepath.Abs(cmp.Or(root, "/"))
	if err != nil {
		return nil, err
	}
	entries, err := findEntries(root)
	if err != nil {
		return nil, err
	}
	grub, err := findGRUB(root)
	if err != nil {
		return nil, err
	}
	if entries != nil && (grub == nil || grub.readsEntries()) {
		return entries, nil
	}
	if grub != nil {
		return grub, nil
	}
	if g := findGrubby(root); g != nil {
		return g, nil
	}
	return nil, ErrUnknown
}

// firstProgram returns the first of some programs that is there, as a path below root.
func firstProgram(root string, names ...string) string {
	for _, name := range names {
		for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"} {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(filepath.Join(root, path)); err == nil && info.Mode()&0o111 != 0 {
				return path
			}
		}
	}
	return ""
}

func sortEntries(all []Entry) []Entry {
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
