package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/parsers"
)

// DefaultDir is where plug-ins are looked for.
const DefaultDir = "/usr/libexec/digestlist"

// The prefixes of the names of plug-ins.
const (
	parserPrefix    = "parser-"
	generatorPrefix = "generator-"
)

// isCleanName reports whether a format may be called so: its name becomes a part of
// those of lists, whose parts are joined with dashes. A regular expression would be
// compiled at each start of the uploader, which boot waits for.
func isCleanName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	return name != "" && len(name) <= 32 &&
		strings.IndexByte(letters, name[0]) >= 0 && strings.Trim(name, letters+"_+") == ""
}

// Discover returns a format for each name that the folder has plug-ins for, sorted by
// name. Other files are none of its business.
//
// Plug-ins that must not be used are left out, and are all named in the error, which
// wraps ErrUnsafe; the registry is valid beside it. If the folder is missing or unsafe itself,
// there is only an error, for a missing one fs.ErrNotExist.
func Discover(dir string) (parsers.Registry, error) {
	info, err := checkPath(dir)
	if err != nil {
		return nil, err
	}
	// A sticky folder would do for the way to it, but anyone can add plug-ins there.
	if !info.IsDir() || info.Mode()&0o022 != 0 {
		return nil, fmt.Errorf("%w: %s is not a directory that only its owner can write to", ErrUnsafe, dir)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var registry parsers.Registry
	var refused []error
	for _, file := range files {
		name, isParser := strings.CutPrefix(file.Name(), parserPrefix)
		isGenerator := false
		if !isParser {
			name, isGenerator = strings.CutPrefix(file.Name(), generatorPrefix)
		}
		if !isParser && !isGenerator {
			continue
		}
		path := filepath.Join(dir, file.Name())
		if err := check(name, path); err != nil {
			refused = append(refused, err)
			continue
		}
		format := add(&registry, name)
		if isParser {
			format.Parser = &Parser{Path: path}
		} else {
			format.Source = &Source{Path: path}
		}
	}
	slices.SortFunc(registry, func(a, b parsers.Format) int { return strings.Compare(a.Name, b.Name) })
	return registry, errors.Join(refused...)
}

func check(name, path string) error {
	if !isCleanName(name) {
		return fmt.Errorf("%w: %s: the name %q is not 1 to 32 of a-z, 0-9, _ and +", ErrUnsafe, path, name)
	}
	return checkExecutable(path)
}

// add returns the row of that name, a new one if there is none.
func add(r *parsers.Registry, name string) *parsers.Format {
	for i := range *r {
		if (*r)[i].Name == name {
			return &(*r)[i]
		}
	}
	*r = append(*r, parsers.Format{Name: name, Help: "plug-in"})
	return &(*r)[len(*r)-1]
}
