package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"digestlists/internal/atomicfile"
)

// ErrDamaged is a journal that cannot be read.
var ErrDamaged = errors.New("damaged journal")

// Names inside a journal's folder.
const (
	recordsFile = "journal"
	filesFolder = "files"
)

// An Event is what a record says.
type Event string

// The events.
const (
	created Event = "created" // the first record: the folder was made
	Note    Event = "note"    // something the user of the package wants to know later
	begun   Event = "begun"   // a group has begun
	saved   Event = "saved"   // and these are the files it may touch
	ended   Event = "ended"   // all of the group is done
	undone  Event = "undone"  // all of the group is taken back
)

// A Record is a line of a journal.
type Record struct {
	Event Event           `json:"event"`
	Group int             `json:"group,omitempty"` // number of the group, from 1
	Name  string          `json:"name,omitempty"`  // of the group
	Note  json.RawMessage `json:"note,omitempty"`
	Files []SavedFile     `json:"files,omitempty"`
	// Left is the SHA-256 of files as a group left them, "" for what is no file.
	Left map[string]string `json:"left,omitempty"`
	Made string            `json:"made,omitempty"` // the first folder that was made for the journal
	Time int64             `json:"time,omitempty"` // of the folder above it, before that
}

// A SavedFile is a path, below the journal's root, and how it was.
type SavedFile struct {
	Path string `json:"path"`
	State
}

// A Journal is open, and nobody else has it open but programs that were started
// meanwhile.
type Journal struct {
	root    string // paths are below it
	dir     string
	f       *os.File
	records []Record
	groups  []*Group // in the order in which they began
	nextID  int      // of the next content
	failure func(point string) error
}

// Open opens the journal in the folder dir below root, which is "" for the running system; if there is none, it makes
// one, or returns fs.ErrNotExist. One that is in use is a [*BusyError].
func Open(root, dir string, create bool) (*Journal, error) {
	root, err := filepath.Abs(cmp.Or(root, "/"))
	if err != nil {
		return nil, err
	}
	j := &Journal{root: root, dir: dir, failure: func(string) error { return nil }}
	if err := j.clear(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(j.path(filepath.Join(dir, recordsFile))); errors.Is(err, fs.ErrNotExist) && create {
		if err := j.create(); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(j.path(filepath.Join(dir, recordsFile)), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	j.f = f
	if err := j.lock(); err != nil {
		j.f.Close()
		return nil, err
	}
	if err := j.read(); err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

// path returns where a path below root is.
func (j *Journal) path(name string) string { return filepath.Join(j.root, name) }

// firstAbsent returns the uppermost part of a path that is not there, or the path.
func (j *Journal) firstAbsent(name string) string {
	for {
		parent := filepath.Dir(name)
		if _, err := os.Lstat(j.path(parent)); parent == name || !errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = parent
	}
}

// newName and oldName are where a journal's folder is put together and taken
// apart: the journal itself is there as a whole or not at all.
func newName(name string) string {
	return filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".new")
}

// oldName also says when the folder above had changed last, for who finds it after the run
// that took the journal apart was killed.
func oldName(name string, ns int64) string {
	return oldPrefix(name) + strconv.FormatInt(ns, 10)
}

func oldPrefix(name string) string {
	return filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".old-")
}

// takeApart removes a journal that is under its old name, the last trace of it being the time
// of the folder above.
func takeApart(old string) error {
	_, text, _ := strings.Cut(filepath.Base(old), ".old-")
	ns, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w: want the time of its folder in its name", old, ErrDamaged)
	}
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	return setTime(filepath.Dir(old), ns)
}

// clear removes what a killed run has left of making or removing a journal.
func (j *Journal) clear() error {
	for name := j.dir; name != "/" && name != "."; name = filepath.Dir(name) {
		if err := os.RemoveAll(j.path(newName(name))); err != nil {
			return err
		}
		if err := j.takeOldApart(name); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) takeOldApart(name string) error {
	prefix := oldPrefix(j.path(name))
	siblings, err := os.ReadDir(filepath.Dir(prefix))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, s := range siblings {
		if old := filepath.Join(filepath.Dir(prefix), s.Name()); strings.HasPrefix(old, prefix) {
			if err := takeApart(old); err != nil {
				return err
			}
		}
	}
	return nil
}

// create makes the journal's folder, with all above it that is missing.
func (j *Journal) create() error {
	made := j.firstAbsent(j.dir)
	above, err := look(j.path(filepath.Dir(made)))
	if err != nil {
		return err
	}
	building := j.path(newName(made))
	inside := filepath.Join(building, strings.TrimPrefix(j.dir, made))
	if err := os.MkdirAll(filepath.Join(inside, filesFolder), 0o755); err != nil {
		return err
	}
	// Saved files may be secret, whatever the modes of the copies.
	if err := os.Chmod(inside, 0o700); err != nil {
		return err
	}
	line, err := json.Marshal(Record{Event: created, Made: made, Time: above.Time})
	if err != nil {
		return err
	}
	if err := writeSynced(filepath.Join(inside, recordsFile), append(line, '\n')); err != nil {
		return err
	}
	if err := os.Rename(building, j.path(made)); err != nil {
		return err
	}
	return atomicfile.SyncDir(j.path(filepath.Dir(made)))
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// read reads all records. A last line that was cut short announced nothing that was
// done, and is cut off.
func (j *Journal) read() error {
	text, err := os.ReadFile(j.f.Name())
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		if err := j.f.Truncate(int64(whole)); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(text[:whole]))
	lines.Buffer(nil, len(text)+1)
	for n := 1; lines.Scan(); n++ {
		var r Record
		err := json.Unmarshal(lines.Bytes(), &r)
		if err == nil {
			err = j.apply(r)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w: %w", j.f.Name(), n, ErrDamaged, err)
		}
	}
	if len(j.records) == 0 || j.records[0].Event != created {
		return fmt.Errorf("%s: %w: no first record", j.f.Name(), ErrDamaged)
	}
	contents, err := names(j.path(filepath.Join(j.dir, filesFolder)))
	j.nextID = len(contents)
	return err
}

// write adds a record, and returns when it is on the disk.
func (j *Journal) write(r Record) error {
	if err := j.failure("before " + string(r.Event)); err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		return err
	}
	if err := j.apply(r); err != nil {
		return err
	}
	return j.failure("after " + string(r.Event))
}

// Remove takes the journal away when all groups are undone.
func (j *Journal) Remove() error {
	first := j.records[0]
	for _, g := range j.groups {
		if !g.undone {
			return fmt.Errorf("group %s is not undone", g.Name)
		}
	}
	old := j.path(oldName(first.Made, first.Time))
	if err := os.Rename(j.path(first.Made), old); err != nil {
		return err
	}
	return errors.Join(j.Close(), takeApart(old))
}
