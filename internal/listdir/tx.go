package listdir

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"digestlists/compact"

	"golang.org/x/sys/unix"
)

// Unnumbered as the position of a list to insert, or All of those to remove, is
// the -1 of the command line.
const (
	Unnumbered = -1
	All        = -1
)

// Options direct a Tx.
type Options struct {
	// DryRun computes the Summary and changes nothing: nothing is staged, no lock
	// is taken, contents are thrown away.
	DryRun bool
	// Wait is how long to wait for another run to finish. 0 means ten seconds,
	// less than 0 not at all.
	Wait time.Duration
}

const defaultWait = 10 * time.Second

// A Tx is a set of changes to a list directory that take effect together.
//
// Contents are staged first: on disk, in any order, by several goroutines. Then
// one goroutine says what becomes of them, and commits. Lists that were there
// before are always called by the file name they had when the Tx began, whatever
// was moved since.
//
//	tx, err := listdir.Begin(path, listdir.Options{})
//	…
//	defer tx.Close()
//	list, err := tx.Stage(content)
//	…
//	name, err := tx.Append(listdir.Name{Type: compact.TypeFile, Format: "rpm", Label: "bash-5.2-1-x86_64"}, list)
//	…
//	summary, err := tx.Commit()
//
// Until Commit and whenever it fails, the directory is as it was. Detached
// signatures beside a list and apart from it follow the list when it is moved,
// and go when it goes. The ParserLink is kept right.
type Tx struct {
	path string // as given, for messages
	dry  bool
	at   location
	dir  *Dir // as it was at the start; without names if there was none
	side *Dir // likewise the folder for signatures, once Commit has opened it
	seen unix.Timespec
	done bool

	items   [4][]*item // by type; at the start in loading order
	ends    [4]int     // by type, the highest position plus one; -1 if not known
	byFile  map[string]*item
	numbers map[Name]*item // the lists at position 0; nil if not known

	staging  sync.Mutex // guards the making of the next three
	root     string     // staging folder in the parent directory; "" until it is needed
	rootFd   int
	workFd   int // folder in it for new files, under serial numbers
	serial   atomic.Int64
	replaced int // the new directory, locked, once it is made; -1 before
}

// An item is a list as the transaction will leave it.
type item struct {
	Name
	old        string  // file name at the start; "" for a new list
	staged     *Staged // new content; nil if it stays
	signatures []stagedSignature
	dir        bool
}

// load fills the model from the directory.
func (tx *Tx) load() {
	tx.byFile = make(map[string]*item, len(tx.dir.lists))
	all := make([]item, len(tx.dir.lists))
	tx.ends = [4]int{-1, -1, -1, -1}
	for i, l := range tx.dir.lists {
		all[i] = item{Name: l.Name, old: l.File, dir: l.dir}
		tx.items[l.Type] = append(tx.items[l.Type], &all[i])
		tx.byFile[l.File] = &all[i]
	}
}

// Dir returns the directory as it was when the transaction began, for reading.
// It is closed by Close. If there was no directory, it has no lists.
func (tx *Tx) Dir() *Dir { return tx.dir }

// Append adds a list after all others of its type: at the highest position plus
// one, or at 0 if it is the first. It returns the complete name. n.Position is
// ignored.
func (tx *Tx) Append(n Name, s *Staged) (Name, error) {
	n.Position = 0 // valid for Check
	if err := n.Check(); err != nil {
		return Name{}, err
	}
	n.Position = tx.next(n.Type)
	return n, tx.add(n, s)
}

// Insert adds a list at n.Position and moves the lists of its type that are
// there or later up by one. A position after the end, where a gap would be left,
// is ErrPosition.
//
// At position Unnumbered the list gets position 0 and no other list moves; a
// list that has exactly this name is replaced.
func (tx *Tx) Insert(n Name, s *Staged) (Name, error) {
	unnumbered := n.Position == Unnumbered
	if unnumbered {
		n.Position = 0
	}
	if err := n.Check(); err != nil {
		return Name{}, err
	}
	if unnumbered {
		if it := tx.numbered(n); it != nil {
			return n, tx.replace(it, s)
		}
		return n, tx.add(n, s)
	}
	if next := tx.next(n.Type); n.Position > next {
		return Name{}, dirError(tx.path, fmt.Errorf("%w: %d of the %s lists, want 0 to %d", ErrPosition, n.Position, n.Type, next))
	}
	if err := tx.add(n, s); err != nil {
		return Name{}, err
	}
	added := tx.items[n.Type]
	shift(added[:len(added)-1], n.Position, +1)
	tx.ends[n.Type], tx.numbers = -1, nil
	return n, nil
}

// Remove removes the list of a type at a position and moves the later ones down
// by one. Position All removes all lists of the type. No list there is
// ErrPosition; several, as the unnumbered ones are, ErrAmbiguous.
func (tx *Tx) Remove(typ compact.Type, position int) error {
	if !typ.Valid() {
		return dirError(tx.path, fmt.Errorf("%w: %d", compact.ErrUnsupportedType, uint16(typ)))
	}
	var there []*item
	for _, it := range tx.items[typ] {
		if position == All || it.Position == position {
			there = append(there, it)
		}
	}
	switch {
	case len(there) == 0 && position == All:
		return dirError(tx.path, fmt.Errorf("%w: there is no %s list", ErrPosition, typ))
	case len(there) == 0:
		return dirError(tx.path, fmt.Errorf("%w: there is no %s list at %d", ErrPosition, typ, position))
	case position != All && len(there) > 1:
		return dirError(tx.path, fmt.Errorf("%w: %d %s lists at %d, such as %q",
			ErrAmbiguous, len(there), typ, position, there[0].Name))
	}
	for _, it := range there {
		if it.dir {
			return fileError(tx.path, it.old, fmt.Errorf("%w but a directory", ErrNotRegular))
		}
	}
	if position != All {
		tx.remove(there[0])
		return nil
	}
	for _, it := range there {
		delete(tx.byFile, it.old)
	}
	tx.items[typ], tx.ends[typ], tx.numbers = nil, 0, nil
	return nil
}

// RemoveName removes the list that had this file name when the transaction
// began. The later lists of its type move down by one, unless another list is at
// the same position.
func (tx *Tx) RemoveName(file string) error {
	it, err := tx.existing(file)
	if err != nil {
		return err
	}
	tx.remove(it)
	return nil
}

// Replace gives a list other content. Its signatures go, unless s is a Copy of
// it or brings new ones.
func (tx *Tx) Replace(file string, s *Staged) error {
	it, err := tx.existing(file)
	if err != nil {
		return err
	}
	return tx.replace(it, s)
}

// SetXattr sets an extended attribute of a list, on a copy of the file: the list
// in the directory keeps its own until Commit.
func (tx *Tx) SetXattr(file, attr string, value []byte) error {
	it, err := tx.existing(file)
	if err != nil {
		return err
	}
	if it.staged != nil {
		return it.staged.SetXattr(attr, value)
	}
	s, err := tx.Copy(file)
	if err != nil {
		return err
	}
	if err := s.SetXattr(attr, value); err != nil {
		return err
	}
	return tx.replace(it, s)
}

// AddSignature gives a list that is there already a detached signature, or
// another one: see Staged.AddSignature.
func (tx *Tx) AddSignature(file string, place Place, suffix string, content []byte) error {
	it, err := tx.existing(file)
	if err != nil {
		return err
	}
	sig, err := tx.stageSignature(place, suffix, content)
	if err != nil {
		return err
	}
	it.signatures = append(it.signatures, sig)
	return nil
}

// existing looks up a list by the name it had at the start.
func (tx *Tx) existing(file string) (*item, error) {
	if tx.done {
		return nil, dirError(tx.path, errors.New("transaction is closed"))
	}
	it := tx.byFile[file]
	if it == nil {
		return nil, fileError(tx.path, file, os.ErrNotExist)
	}
	if it.dir {
		return nil, fileError(tx.path, file, fmt.Errorf("%w but a directory", ErrNotRegular))
	}
	return it, nil
}

// next returns the position after the highest of a type. Gaps stay unused: a
// list at a position must not be taken for the one that was there before.
func (tx *Tx) next(typ compact.Type) int {
	if tx.ends[typ] < 0 {
		tx.ends[typ] = 0
		for _, it := range tx.items[typ] {
			tx.ends[typ] = max(tx.ends[typ], it.Position+1)
		}
	}
	return tx.ends[typ]
}

// add puts a new list at the end of the model.
func (tx *Tx) add(n Name, s *Staged) error {
	if tx.done {
		return dirError(tx.path, errors.New("transaction is closed"))
	}
	if err := n.Check(); err != nil { // again, since the position may be too high or too long
		return err
	}
	if err := s.take(tx); err != nil {
		return err
	}
	it := &item{Name: n, staged: s}
	tx.items[n.Type] = append(tx.items[n.Type], it)
	if tx.ends[n.Type] >= 0 {
		tx.ends[n.Type] = max(tx.ends[n.Type], n.Position+1)
	}
	if tx.numbers != nil && n.Position == 0 {
		tx.numbers[n] = it
	}
	return nil
}

func (tx *Tx) replace(it *item, s *Staged) error {
	if err := s.take(tx); err != nil {
		return err
	}
	it.staged = s
	if s.copyOf != it.old {
		it.signatures = nil
	}
	return nil
}

// remove drops a list from the model and closes the gap if there is one.
func (tx *Tx) remove(it *item) {
	gap := true
	same := tx.items[it.Type]
	rest := same[:0]
	for _, other := range same {
		if other != it {
			rest = append(rest, other)
			gap = gap && other.Position != it.Position
		}
	}
	clear(same[len(rest):])
	tx.items[it.Type] = rest
	delete(tx.byFile, it.old)
	tx.ends[it.Type], tx.numbers = -1, nil
	if gap {
		shift(rest, it.Position, -1)
	}
}

// shift moves the lists from a position on.
func shift(items []*item, from, by int) {
	for _, it := range items {
		if it.Position >= from {
			it.Position += by
		}
	}
}

// numbered finds a list by its complete name, at position 0.
func (tx *Tx) numbered(n Name) *item {
	if tx.numbers == nil {
		tx.numbers = make(map[Name]*item)
		for _, items := range tx.items {
			for _, it := range items {
				if it.Position == 0 {
					tx.numbers[it.Name] = it
				}
			}
		}
	}
	return tx.numbers[n]
}
