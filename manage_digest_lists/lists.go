package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"

	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/decode"
	"digestlists/internal/inroot"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/plugin"
)

// everything is all that a list may say of a file.
const everything = parsers.FieldPath | parsers.FieldMode | parsers.FieldSize | parsers.FieldNames | parsers.FieldIDs |
	parsers.FieldCaps | parsers.FieldLabel | parsers.FieldSignature | parsers.FieldEVMDigest

// lists are those that an operation is about, and what is needed to read them.
type lists struct {
	*listdir.Set
	formats parsers.Registry
}

// directory returns the path of the digest list directory.
func (j *job) directory() string {
	if j.IsSet("dir") {
		return j.String("dir")
	}
	return filepath.Join(j.root(), listdir.Default)
}

// root returns the absolute path of the directory that is the root to files.
func (j *job) root() string {
	if !j.IsSet("root") {
		return "/"
	}
	root := j.String("root")
	if abs, err := filepath.Abs(root); err == nil { // else, opening it fails
		return abs
	}
	return root
}

// openLists opens the lists of -d and -f.
func (j *job) openLists() (*lists, error) {
	l, err := j.openPath(j.directory())
	if err != nil || !j.IsSet("file") {
		return l, err
	}
	for _, list := range l.Lists {
		if list.File == j.String("file") {
			l.Lists = []listdir.List{list}
			return l, nil
		}
	}
	l.Close()
	return nil, command.WithCode(command.ExitNothing, fmt.Errorf("%s: no list %q", l.Path, j.String("file")))
}

// openListsAndRoot opens the lists, and the root of the files that they name.
func (j *job) openListsAndRoot() (*lists, *inroot.Root, error) {
	l, err := j.openLists()
	if err != nil {
		return nil, nil, err
	}
	root, err := inroot.Open(j.root())
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return l, root, nil
}

// openPath opens a directory of lists, or a single list.
func (j *job) openPath(path string) (*lists, error) {
	registry, err := j.registry()
	if err != nil {
		return nil, err
	}
	set, err := listdir.OpenSet(path)
	if errors.Is(err, listdir.ErrName) {
		err = command.WithHint(err, "lists are called <position>-<type>_list-<format>-<name>")
	}
	if err != nil {
		return nil, err
	}
	return &lists{set, registry}, nil
}

// registry is the built-in formats and those of plug-ins.
func (j *job) registry() (parsers.Registry, error) {
	plugins, err := plugin.Discover(j.String("plugin-dir"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return append(formats.Lists(), plugins...), err
}

// loadable yields what a list has, if it is one that may be loaded.
func (l *lists) loadable(list listdir.List) iter.Seq2[*parsers.Entry, error] {
	if err := decode.CheckType(list.Name); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return l.entries(list, parsers.Options{Want: everything})
}

// entries yields what a list has.
func (l *lists) entries(list listdir.List, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	opts.Generation = parsers.Gen039
	return decode.File(l.formats, l.Dir, list, opts)
}

// write writes what fill writes to the file of -o, or to standard output.
func (j *job) write(fill func(io.Writer) error) error {
	if path := j.String("output"); path != "" && path != "-" {
		return atomicfile.Write(path, 0o644, fill)
	}
	return fill(j.App.Writer)
}
