package bootloader

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/atomicfile"
)

// entryFiles are boot menus of one file for each entry, as the Boot Loader Specification
// of the UAPI group has them (type 1): systemd-boot and GRUB's blscfg read them.
type entryFiles struct {
	root string
	dir  string // below root
}

// entryDirs are where such files are: on the boot partition or the EFI one.
var entryDirs = []string{"/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"}

const (
	// mark is in the name of each file that is added. The tilde sorts it after
	// the entry that it was made from, in GRUB and in systemd-boot alike, so that a
	// default of "the first one" stays what it is.
	mark = "~digestlists-"
	// remark is a line of an added file that lists its arguments.
	remark = "# digest lists: "
)

// findEntries returns nil if there are no such files.
func findEntries(root string) (*entryFiles, error) {
	for _, dir := range entryDirs {
		b := &entryFiles{root, dir}
		files, err := b.files("*.conf")
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			return b, nil
		}
	}
	return nil, nil
}

func (b *entryFiles) Name() string { return "entries in " + b.dir }

// files returns the names of files that match a pattern. A folder that cannot be read is an
// error, and not one without them.
func (b *entryFiles) files(pattern string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(b.root, b.dir))
	if notThere(err) != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		matches, err := filepath.Match(pattern, e.Name())
		if err != nil {
			return nil, err
		}
		if matches {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// originals returns the files that entries are made from: all but rescue systems and
// our own.
func (b *entryFiles) originals() ([]string, error) {
	files, err := b.files("*.conf")
	return slices.DeleteFunc(files, func(f string) bool {
		return strings.Contains(f, mark) || strings.Contains(f, "-0-rescue")
	}), err
}

func added(original, name string) string {
	return strings.TrimSuffix(original, ".conf") + mark + name + ".conf"
}

func (b *entryFiles) Entries() ([]Entry, error) {
	files, err := b.files("*" + mark + "*.conf")
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, f := range files {
		_, rest, _ := strings.Cut(f, mark)
		name := strings.TrimSuffix(rest, ".conf")
		if slices.ContainsFunc(all, func(e Entry) bool { return e.Name == name }) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(b.root, b.dir, f))
		if err != nil {
			return nil, err
		}
		args, err := readRemark(f, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, Entry{name, args})
	}
	return sortEntries(all), nil
}

// readRemark finds the arguments in a file that was added.
func readRemark(path, text string) ([]string, error) {
	for line := range strings.Lines(text) {
		if args, ok := strings.CutPrefix(line, remark); ok {
			return strings.Fields(args), nil
		}
	}
	return nil, fmt.Errorf("%s: no line that begins with %q", path, remark)
}

func (b *entryFiles) Touches(name string) ([]string, error) {
	originals, err := b.originals()
	if err != nil {
		return nil, err
	}
	old, err := b.files("*" + mark + name + ".conf")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, f := range originals {
		paths = append(paths, filepath.Join(b.dir, added(f, name)))
	}
	for _, f := range old { // also those of kernels that are gone
		if path := filepath.Join(b.dir, f); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, p := range slices.Clone(paths) {
		paths = append(paths, p+atomicfile.Unfinished)
	}
	return paths, nil
}

func (b *entryFiles) Add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	originals, err := b.originals()
	if err != nil {
		return err
	}
	if len(originals) == 0 {
		return fmt.Errorf("%s: no entry to start from", b.dir)
	}
	for _, f := range originals {
		path := filepath.Join(b.root, b.dir, f)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(b.root, b.dir, added(f, e.Name)), derive(string(text), e), info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// derive returns the text of an entry with more arguments, another title and version.
func derive(text string, e Entry) string {
	var out strings.Builder
	out.WriteString(remark + strings.Join(e.Args, " ") + "\n")
	options := -1 // where the last line of options ends
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch key, value := cutKey(line); key {
		case "title":
			line += e.title()
		case "version":
			line += mark + e.Name
		case "options":
			line = "options " + e.without(value)
			out.WriteString(line)
			options = out.Len()
			line = ""
		}
		out.WriteString(line + "\n")
	}
	args := " " + strings.Join(e.Args, " ")
	if options < 0 {
		return out.String() + "options" + args + "\n"
	}
	return out.String()[:options] + args + out.String()[options:]
}

func cutKey(line string) (key, value string) {
	key, value, _ = strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	return key, strings.TrimSpace(value)
}

// without returns a command line without what the entry says itself.
func (e Entry) without(line string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(line), e.replaces), " ")
}

func (b *entryFiles) Remove(name string) error {
	files, err := b.files("*" + mark + name + ".conf")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	for _, f := range files {
		if err := os.Remove(filepath.Join(b.root, b.dir, f)); err != nil {
			return err
		}
	}
	return nil
}

func write(path, text string, mode os.FileMode) error {
	return atomicfile.WriteAs(path+atomicfile.Unfinished, path, []byte(text), mode)
}
