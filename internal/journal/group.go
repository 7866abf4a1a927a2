package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A Group is work that is taken back as a whole.
type Group struct {
	Name   string
	number int
	files  []SavedFile
	left   map[string]string
	ended  bool
	undone bool
}

// Ended reports whether all of the group was done.
func (g *Group) Ended() bool { return g.ended }

// Groups returns the groups that are not undone, in the order in which they began.
func (j *Journal) Groups() []*Group {
	return slices.DeleteFunc(slices.Clone(j.groups), func(g *Group) bool { return g.undone })
}

// AddNote writes down a value for later runs, as JSON.
func (j *Journal) AddNote(name string, value any) error {
	note, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return j.write(Record{Event: Note, Name: name, Note: note})
}

// LastNote returns the last value of that name, and whether there is one.
func (j *Journal) LastNote(name string, value any) (bool, error) {
	for _, r := range slices.Backward(j.records) {
		if r.Event == Note && r.Name == name {
			return true, json.Unmarshal(r.Note, value)
		}
	}
	return false, nil
}

// apply does to the journal in memory what a record says.
func (j *Journal) apply(r Record) error {
	switch r.Event {
	case created, Note:
	case begun:
		if r.Group != len(j.groups)+1 {
			return fmt.Errorf("group %d after %d groups", r.Group, len(j.groups))
		}
		j.groups = append(j.groups, &Group{Name: r.Name, number: r.Group})
	case saved, ended, undone:
		if r.Group < 1 || r.Group > len(j.groups) {
			return fmt.Errorf("no group %d", r.Group)
		}
		g := j.groups[r.Group-1]
		switch r.Event {
		case saved:
			g.files = append(g.files, r.Files...)
		case ended:
			g.ended, g.left = true, r.Left
		default:
			g.undone = true
		}
	default:
		return fmt.Errorf("unknown event %q", r.Event)
	}
	j.records = append(j.records, r)
	return nil
}

// Begin begins a group: when it returns, the files that it may touch are safe.
// Where a file is written through another name first, that is one of them, too.
func (j *Journal) Begin(name string, paths ...string) (*Group, error) {
	g := Record{Event: begun, Group: len(j.groups) + 1, Name: name}
	if err := j.write(g); err != nil {
		return nil, err
	}
	s := saver{j: j, seen: make(map[string]bool)}
	for _, p := range paths {
		if err := s.save(filepath.Clean(p)); err != nil {
			return nil, err
		}
	}
	if err := s.sync(); err != nil {
		return nil, err
	}
	if err := j.write(Record{Event: saved, Group: g.Group, Files: s.files}); err != nil {
		return nil, err
	}
	return j.groups[g.Group-1], nil
}

// End ends a group, and writes down how it leaves its files.
func (j *Journal) End(g *Group) error {
	left := make(map[string]string)
	for _, f := range g.files {
		if f.Kind == Folder || insideWhole(g.files, f.Path) {
			continue
		}
		sum, err := j.sum(f.Path)
		if err != nil {
			return err
		}
		left[f.Path] = sum
	}
	return j.write(Record{Event: ended, Group: g.number, Left: left})
}

// insideWhole reports whether a path is in a folder that is kept with all that is in it:
// such a folder is expected to change.
func insideWhole(files []SavedFile, path string) bool {
	return slices.ContainsFunc(files, func(f SavedFile) bool {
		rel, err := filepath.Rel(f.Path, path)
		return f.Whole && err == nil && filepath.IsLocal(rel)
	})
}

// sum returns the SHA-256 of a file, and "" for what is none.
func (j *Journal) sum(path string) (string, error) {
	s, err := look(j.path(path))
	if errors.Is(err, ErrKind) {
		return "", nil
	}
	if err != nil || s.Kind != File {
		return "", err
	}
	return digest(j.path(path), io.Discard)
}

// A saver collects the states of paths.
type saver struct {
	j     *Journal
	files []SavedFile
	seen  map[string]bool
}

// save keeps a path, and the time of the folder it is in.
func (s *saver) save(path string) error {
	path = s.j.firstAbsent(path)
	if err := s.keep(filepath.Dir(path), false); err != nil {
		return err
	}
	return s.keep(path, true)
}

// keep keeps the state of a path; of a folder, with all that is in it if whole.
func (s *saver) keep(path string, whole bool) error {
	if s.seen[path] {
		return nil
	}
	full := s.j.path(path)
	state, err := look(full)
	if err != nil {
		return err
	}
	s.seen[path] = true
	switch {
	case state.Kind == File:
		err = s.content(full, &state)
	case state.Kind == Folder && whole:
		state.Whole = true
		state.Names, err = names(full)
	}
	if err != nil {
		return err
	}
	s.files = append(s.files, SavedFile{path, state})
	for _, name := range state.Names {
		if err := s.keep(filepath.Join(path, name), true); err != nil {
			return err
		}
	}
	return nil
}

// content copies the content of a file into the journal.
func (s *saver) content(full string, state *State) error {
	state.Content = strconv.Itoa(s.j.nextID)
	s.j.nextID++
	f, err := os.OpenFile(s.j.content(*state), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if state.SHA256, err = digest(full, f); err != nil {
		return err
	}
	return f.Close()
}

func (j *Journal) content(s State) string {
	return j.path(filepath.Join(j.dir, filesFolder, s.Content))
}

// sync returns when all contents are on the disk.
func (s *saver) sync() error {
	f, err := os.Open(s.j.path(filepath.Join(s.j.dir, filesFolder)))
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
