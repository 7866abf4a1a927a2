package selinux

import (
	"fmt"
	"slices"
	"strings"
)

// A sub gives the files under one path the labels of those under another.
type sub struct {
	from, to string
}

// addSub adds a line: the path, and the one to look up instead. What follows is taken
// for a comment, as libselinux does.
func addSub(subs *[]sub, fields []string) error {
	if len(fields) < 2 || fields[0][0] != '/' || fields[1][0] != '/' {
		return fmt.Errorf("%q, want two absolute paths", strings.Join(fields, " "))
	}
	*subs = slices.Insert(*subs, 0, sub{fields[0], fields[1]})
	return nil
}

// substitute applies the first one that the path is or is under.
func substitute(subs []sub, path string) string {
	for _, s := range subs {
		rest, ok := strings.CutPrefix(path, s.from)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if s.to == "/" && rest != "" {
			return rest
		}
		return s.to + rest
	}
	return path
}
