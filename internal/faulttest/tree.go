package faulttest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"digestlists/internal/xattr"
)

// A tree is what is below a folder: for each path, all there is to know of it but times.
type tree map[string]string

// lookAt reads a tree.
func lookAt(dir string) (tree, error) {
	found := make(tree)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			found[name], err = facts(path)
		}
		return err
	})
	return found, err
}

func facts(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	owner := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%v %d:%d", info.Mode(), owner.Uid, owner.Gid)
	switch {
	case info.Mode().IsRegular():
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(" %d bytes %.8x", len(content), sha256.Sum256(content))
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return text + " " + target, err
	}
	names, err := xattr.List(path)
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		value, err := xattr.Get(path, name)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(" %s=%.12x", name, value)
	}
	return text, nil
}

// copyAttribute copies an attribute of the files of a tree that cp(1) leaves out: see xattr.conf(5).
func copyAttribute(from, to, attr string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		value, err := xattr.Get(path, attr)
		if errors.Is(err, xattr.ErrAbsent) {
			return nil
		}
		if err != nil {
			return err
		}
		return xattr.Set(filepath.Join(to, strings.TrimPrefix(path, from)), attr, value)
	})
}

// leftover is a name that the tools use while they work: of the staging folder of a list directory, or of a file
// that is being written; or of anything in a temporary folder.
var leftover = regexp.MustCompile(`^tmp/|(^|/)\.[^/]*\.(new|tmp)-[0-9a-f]+(/|$)|\.digestlists-new~?$`)

// finished returns the tree without what is unfinished.
func (t tree) finished() tree {
	rest := maps.Clone(t)
	maps.DeleteFunc(rest, func(path, _ string) bool { return leftover.MatchString(path) })
	return rest
}

// is reports whether a killed run has left one state, on the way from or to another: what makes no difference yet may
// be there already, and what makes none any more may be there still, which are folders and detached signatures of
// lists that are not there.
func (t tree) is(state, other tree) bool {
	rest := maps.Clone(t)
	maps.DeleteFunc(rest, func(path, _ string) bool {
		_, here := state[path]
		facts, there := other[path]
		return !here && there && (facts[0] == 'd' || strings.Contains(path, ".sig/"))
	})
	return maps.Equal(rest, state)
}

// names are all paths, in order.
func (t tree) names() string { return strings.Join(slices.Sorted(maps.Keys(t)), "\n") }

// mixes reports whether each file of t is as in a or as in b.
func (t tree) mixes(a, b tree) bool {
	return t.each(a, b, func(facts, inA, inB string) bool { return facts == inA || facts == inB })
}

// mixesFacts reports whether each fact of each file is: of several attributes that are set one after the other, a
// killed run has set some.
func (t tree) mixesFacts(a, b tree) bool {
	return t.each(a, b, func(facts, inA, inB string) bool {
		known := strings.Fields(inA + " " + inB)
		return !slices.ContainsFunc(strings.Fields(facts), func(f string) bool { return !slices.Contains(known, f) })
	})
}

// each reports whether all files are good, and none is missing that is in both others.
func (t tree) each(a, b tree, good func(facts, inA, inB string) bool) bool {
	for path, facts := range t {
		if a[path]+b[path] == "" || !good(facts, a[path], b[path]) {
			return false
		}
	}
	for path := range a {
		if t[path] == "" && b[path] != "" {
			return false
		}
	}
	return true
}

// diff says how t differs from another tree.
func (t tree) diff(from tree) string {
	var lines []string
	for path, facts := range from {
		if t[path] != facts {
			lines = append(lines, "- "+path+": "+facts)
		}
	}
	for path, facts := range t {
		if from[path] != facts {
			lines = append(lines, "+ "+path+": "+facts)
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2:]+a[:1], b[2:]+b[:1]) })
	return strings.Join(lines, "\n")
}

// staging returns a staging folder, which a run must not leave.
func (t tree) staging() string {
	for path := range t {
		if strings.Contains(path, ".new-") {
			return path
		}
	}
	return ""
}
