package selinux

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"digestlists/internal/regular"
)

// AttributeName is the extended attribute that holds a file's label.
const AttributeName = "security.selinux"

// none is the label of files that the policy leaves alone.
const none = "<<none>>"

// maxFile bounds what is read of a file in bytes.
const maxFile = 64 << 20

// A Policy is the labels of a system. It may be used by several goroutines.
type Policy struct {
	exact   map[string][]spec // by path
	regexps []spec
	subs    []sub // of .subs, the last one first
	dist    []sub // of .subs_dist
}

// A spec is one line of file_contexts.
type spec struct {
	stem    string // folder that matching paths are in, whatever the pattern; "" for any
	prefix  string // that all matching paths have
	pattern *regexp.Regexp
	kind    uint16 // file type of st_mode, 0 for any
	label   string // "" for none
}

// Load reads the policy that etc/selinux/config under root names; "" is the root of the
// running system.
func Load(root string) (*Policy, error) {
	dir := filepath.Join(cmp.Or(root, "/"), "etc/selinux")
	name, err := policyName(filepath.Join(dir, "config"))
	if err != nil {
		return nil, err
	}
	return Open(filepath.Join(dir, name, "contexts/files/file_contexts"))
}

// policyName returns SELINUXTYPE of a config file.
func policyName(config string) (string, error) {
	data, err := regular.ReadFile(config, 0, maxFile)
	if err != nil {
		return "", err
	}
	name := ""
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "SELINUXTYPE="); ok {
			name = strings.TrimSpace(value)
		}
	}
	if name == "" || name != path.Base(name) || name == ".." {
		return "", fmt.Errorf("%s: SELINUXTYPE is %q, want the name of a policy", config, name)
	}
	return name, nil
}

// Open reads a policy's file_contexts and the files beside it. Errors name the
// file and the line.
func Open(contexts string) (*Policy, error) {
	p := &Policy{exact: make(map[string][]spec)}
	if err := eachLine(contexts, p.addSpec); err != nil {
		return nil, err
	}
	for _, more := range []struct {
		suffix string
		add    func([]string) error
	}{
		{".homedirs", p.addSpec},
		{".local", p.addSpec},
		{".subs", func(fields []string) error { return addSub(&p.subs, fields) }},
		{".subs_dist", func(fields []string) error { return addSub(&p.dist, fields) }},
	} {
		if err := eachLine(contexts+more.suffix, more.add); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return p, nil
}

// eachLine calls add with the fields of each line that is not a comment.
func eachLine(file string, add func([]string) error) error {
	data, err := regular.ReadFile(file, 0, maxFile)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		fields := strings.FieldsFunc(line, isSpace)
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		if err := add(fields); err != nil {
			return fmt.Errorf("%s: line %d: %w", file, n, err)
		}
	}
	return nil
}

func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// Label returns the label of a file with that absolute path and st_mode. It is
// empty where the policy has none for it.
func (p *Policy) Label(file string, mode uint16) string {
	file = substitute(p.dist, substitute(p.subs, squeeze(file)))
	kind := mode & kindMask
	if s := last(p.exact[file], kind, func(spec) bool { return true }); s != nil {
		return s.label
	}
	match := func(s spec) bool {
		return strings.HasPrefix(file, s.stem) && strings.HasPrefix(file, s.prefix) && s.pattern.MatchString(file)
	}
	if s := last(p.regexps, kind, match); s != nil {
		return s.label
	}
	return ""
}

// squeeze takes repeated slashes out, and one at the end.
func squeeze(file string) string {
	for strings.Contains(file, "//") {
		file = strings.ReplaceAll(file, "//", "/")
	}
	if len(file) > 1 {
		file = strings.TrimSuffix(file, "/")
	}
	return file
}

// last returns the last of the specs for files of that kind that match.
func last(specs []spec, kind uint16, match func(spec) bool) *spec {
	for i := len(specs) - 1; i >= 0; i-- {
		if s := &specs[i]; (s.kind == 0 || s.kind == kind) && match(*s) {
			return s
		}
	}
	return nil
}
