// Package owner finds the numbers of users and groups by name in the files passwd(5)
// and group(5) of a system that need not be the running one.
package owner

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"digestlists/internal/regular"
)

// MaxID is the greatest number of a user or group. The next one is that of nobody: chown(2)
// takes it for "leave it as it is".
const MaxID = 1<<32 - 2

// ErrUnknown is a user or group that is not in the file.
var ErrUnknown = errors.New("unknown")

// A Table is the numbers of one file.
type Table struct {
	kind    string // "user" or "group"
	file    string
	numbers map[string]uint32
}

// DB is the users and groups of a system.
type DB struct {
	Users, Groups *Table
}

// Open reads a passwd and a group file; an empty path stands for the one in etc
// under root, which is that of the running system if it is empty. Errors name the file
// and the line.
func Open(root, passwd, group string) (*DB, error) {
	users, err := readTable("user", root, passwd, "passwd")
	if err != nil {
		return nil, err
	}
	groups, err := readTable("group", root, group, "group")
	if err != nil {
		return nil, err
	}
	return &DB{users, groups}, nil
}

// IDs returns the numbers of a user and a group. An unknown name is ErrUnknown.
func (db *DB) IDs(user, group string) (uid, gid uint32, err error) {
	if uid, err = db.Users.ID(user); err != nil {
		return 0, 0, err
	}
	gid, err = db.Groups.ID(group)
	return uid, gid, err
}

// ID returns the number of a name.
func (t *Table) ID(name string) (uint32, error) {
	if id, ok := t.numbers[name]; ok {
		return id, nil
	}
	return 0, fmt.Errorf("%w %s %q: not in %s", ErrUnknown, t.kind, name, t.file)
}

// maxFile bounds what is read of a file.
const maxFile = 64 << 20

func readTable(kind, root, path, name string) (*Table, error) {
	if path == "" {
		path = filepath.Join(cmp.Or(root, "/"), "etc", name)
	}
	data, err := regular.ReadFile(path, 0, maxFile)
	if err != nil {
		return nil, err
	}
	t := &Table{kind: kind, file: path, numbers: make(map[string]uint32)}
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		if err := t.add(strings.TrimSuffix(text, "\n")); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, line, err)
		}
	}
	return t, nil
}

// add reads a line: the number is the third field of both files. The first line of a
// name counts, as for getpwnam(3); empty lines, comments and NIS entries do not.
func (t *Table) add(line string) error {
	if line == "" || strings.IndexByte("#+-", line[0]) >= 0 {
		return nil
	}
	fields := strings.SplitN(line, ":", 4)
	if len(fields) < 4 || fields[0] == "" {
		return fmt.Errorf("%q, want name:password:number:…", line)
	}
	id, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil || id > MaxID {
		return fmt.Errorf("%s %q: number %q, want 0 to %d", t.kind, fields[0], fields[2], uint32(MaxID))
	}
	if _, ok := t.numbers[fields[0]]; !ok {
		t.numbers[fields[0]] = uint32(id)
	}
	return nil
}
