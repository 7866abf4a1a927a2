package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/inroot"
	"digestlists/internal/known"
	"digestlists/internal/mutable"
	"digestlists/internal/progress"
	"digestlists/parsers/imalog"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"
)

// fileFlags say which files a list is made of.
func fileFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "measured", Aliases: []string{"i"}, Usage: "files of the current IMA measurement list, below -D if given; the default without -D"},
		&cli.StringSliceFlag{Name: "search", Aliases: []string{"D"}, Usage: "all files below these `DIRS`, separated by spaces"},
		&cli.StringSliceFlag{Name: "exclude", Aliases: []string{"E"}, Usage: "none below these `DIRS`, separated by spaces"},
		&cli.StringFlag{Name: "files", Usage: "the files named in `FILE`, one a line, known or not"},
		&cli.BoolFlag{Name: "no-edit", Usage: "do not open the files that were found in an editor"},
		&cli.BoolFlag{Name: "dry-run", Usage: "print the files that were found, and change nothing"},
	}
}

// neverListed are folders whose files are gone after a boot, and those of the workflow.
var neverListed = []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/lost+found", mutable.Dir, mutable.StateFile}

// A finder finds files that no list knows.
type finder struct {
	work  *work
	known known.Set
	below []string // folders to take files from; none: all
	not   []string
}

// findUnknown returns the files that the command line asks for and that no list knows,
// sorted, by their names on the system.
func (w *work) findUnknown(c *cli.Context) ([]string, error) {
	f := &finder{work: w, not: append(slices.Clone(neverListed), w.folder, w.folder+".sig")}
	var err error
	if f.known, err = known.Read(w.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if f.below, err = f.folders("-D", c.StringSlice("search")); err != nil {
		return nil, err
	}
	excluded, err := f.folders("-E", c.StringSlice("exclude"))
	if err != nil {
		return nil, err
	}
	f.not = append(f.not, excluded...)
	var names []string
	if c.Bool("measured") || len(f.below) == 0 {
		names, err = f.measured()
	} else {
		names, err = f.search()
	}
	if err != nil {
		return nil, err
	}
	line := progress.Start(w.Log, "files looked at")
	defer line.Stop()
	return f.unknown(names, line)
}

// folders splits the value of an option into folders, without links in their names.
func (f *finder) folders(option string, values []string) ([]string, error) {
	var all []string
	for _, name := range strings.Fields(strings.Join(values, " ")) {
		if !filepath.IsAbs(name) {
			return nil, command.Usagef("%s: %q is no absolute path", option, name)
		}
		real, err := f.work.root.Real(name)
		if errors.Is(err, fs.ErrNotExist) && option == "-E" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", option, name, err)
		}
		all = append(all, real)
	}
	return all, nil
}

func (f *finder) wanted(name string) bool {
	return filepath.IsAbs(name) && !within(name, f.not) && (len(f.below) == 0 || within(name, f.below))
}

// within reports whether a file is one of the paths or below one.
func within(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return name == p || p == "/" || strings.HasPrefix(name, p+"/")
	})
}

// measured returns the wanted files of the running kernel's measurement list. The binary
// list has their names as they are; in the one of text, they may have other spaces.
func (f *finder) measured() ([]string, error) {
	text := f.work.root.Path(imalog.DefaultPath)
	file, err := os.Open(filepath.Join(filepath.Dir(text), "binary_runtime_measurements"))
	if errors.Is(err, fs.ErrNotExist) {
		file, err = os.Open(text)
	}
	if err != nil {
		return nil, command.WithHint(err, "is securityfs mounted? without a measurement list, -D searches folders")
	}
	defer file.Close()
	log := imalog.NewReader(file)
	var names []string
	for {
		m, err := log.Next()
		if err == io.EOF {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		if name := m.Name(); f.wanted(name) {
			names = append(names, name)
		}
	}
}

// search returns the files below the wanted folders.
func (f *finder) search() ([]string, error) {
	var names []string
	for _, folder := range f.below {
		top := f.work.root.Path(folder)
		err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			name := filepath.Join(folder, strings.TrimPrefix(path, top))
			switch {
			case errors.Is(err, fs.ErrNotExist) && path != top:
				return nil // gone meanwhile
			case err != nil:
				return err
			case within(name, f.not) && e.IsDir():
				return fs.SkipDir
			case e.Type().IsRegular() && !within(name, f.not):
				names = append(names, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// unknown returns those of the files that are there and that no list knows. One that
// changes while it is read is known to none.
func (f *finder) unknown(names []string, line *progress.Line) ([]string, error) {
	isUnknown := make([]bool, len(names))
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		workers.Go(func() (err error) {
			isUnknown[i], err = f.isUnknown(name)
			line.Add(1)
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, err
	}
	var found []string
	for i, name := range names {
		if isUnknown[i] {
			found = append(found, name)
		}
	}
	return found, nil
}

func (f *finder) isUnknown(name string) (bool, error) {
	file, err := f.work.root.Open(name)
	if inroot.Gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	sum, err := mutable.Sum(file, f.work.algorithm)
	if errors.Is(err, mutable.ErrChanging) {
		return true, nil
	}
	return err == nil && !f.known.Has(f.work.algorithm, sum), err
}
