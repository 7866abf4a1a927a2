package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"digestlists/internal/regular"
	"digestlists/internal/xattr"

	"golang.org/x/sys/unix"
)

// A Kind is what a path is.
type Kind string

// The kinds.
const (
	Absent Kind = "absent"
	File   Kind = "file"
	Folder Kind = "folder"
	Link   Kind = "link"
)

// ErrKind is a path that is none of the kinds, such as a device.
var ErrKind = errors.New("not a file, folder or symbolic link")

// A State is how a path was.
type State struct {
	Kind    Kind              `json:"kind"`
	Mode    uint32            `json:"mode,omitempty"` // permissions, with setuid, setgid and sticky bits
	UID     int               `json:"uid,omitempty"`
	GID     int               `json:"gid,omitempty"`
	Time    int64             `json:"time,omitempty"` // of modification, in nanoseconds since 1970
	Attrs   map[string][]byte `json:"attrs,omitempty"`
	Target  string            `json:"target,omitempty"`  // of a link
	SHA256  string            `json:"sha256,omitempty"`  // of a file's content
	Content string            `json:"content,omitempty"` // where a file's content is kept
	Names   []string          `json:"names,omitempty"`   // what is in a folder
	Whole   bool              `json:"whole,omitempty"`   // a folder that is kept with all that is in it
}

// sameAttributes reports whether all that is not content is the same.
func (s State) sameAttributes(t State) bool {
	return s.Mode == t.Mode && s.UID == t.UID && s.GID == t.GID && s.Time == t.Time && maps.EqualFunc(s.Attrs, t.Attrs, bytes.Equal)
}

// look returns the state of a path, with neither content nor names.
func look(path string) (State, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		if errors.Is(err, fs.ErrNotExist) || err == unix.ENOTDIR {
			return State{Kind: Absent}, nil
		}
		return State{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	s := State{Mode: st.Mode & 0o7777, UID: int(st.Uid), GID: int(st.Gid), Time: st.Mtim.Nano()}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		s.Kind = File
	case unix.S_IFDIR:
		s.Kind = Folder
	case unix.S_IFLNK:
		s.Kind = Link
		target, err := os.Readlink(path)
		if err != nil {
			return State{}, err
		}
		s.Target = target
	default:
		return State{}, fmt.Errorf("%s: %w", path, ErrKind)
	}
	var err error
	s.Attrs, err = attributes(path)
	return s, err
}

func attributes(path string) (map[string][]byte, error) {
	names, err := xattr.List(path)
	if errors.Is(err, xattr.ErrUnsupported) {
		return nil, nil
	}
	if err != nil || len(names) == 0 {
		return nil, err
	}
	attrs := make(map[string][]byte, len(names))
	for _, name := range names {
		if attrs[name], err = xattr.Get(path, name); err != nil {
			return nil, err
		}
	}
	return attrs, nil
}

// digest returns the SHA-256 of a file in hexadecimal; it writes the content to w,
// too.
func digest(path string, w io.Writer) (string, error) {
	f, err := regular.Open(path, unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(h, w), f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// names returns the sorted names of what is in a folder.
func names(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Name()
	}
	slices.Sort(all)
	return all, nil
}
