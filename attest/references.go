package attest

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/hashes"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/regular"
	"digestlists/parsers"
	"digestlists/parsers/formats"

	"golang.org/x/sys/unix"
)

// A List is where the operator knows a digest from.
type List struct {
	Name    string // of the list's file, or of the package
	Origin  string // path of the file, or of what it was made from
	Package bool   // made from a package, not read from a file of the list directory
	Digests int
	SHA256  []byte // of the file; nil if the list was made from something else

	SignedBy string // name of the key that signed it, if it is one of the operator's keys
	Unsigned error  // why it is not; nil where no keys were given
}

// References are what the operator knows: the digests in lists and packages, and the
// lists themselves. Adding is not safe for several goroutines, reading is. After an error
// in a list the set is empty.
type References struct {
	keys  *Keys
	notes []string
	now   time.Time
	index *index
	lists []*List

	byName    map[string]*List
	files     []*List // that can be read again
	byContent map[contentKey]*List

	mu      sync.Mutex                 // of what follows
	others  map[compact.Algorithm]bool // algorithms that byOther has the digests of
	byOther map[contentKey]*List
	printed []byte // see fingerprint; nil: not made yet
}

// contentKey is the digest of a list as a file.
type contentKey struct {
	algorithm compact.Algorithm
	sum       [compact.MaxDigestSize]byte
}

func keyOf(a compact.Algorithm, digest []byte) (k contentKey) {
	k.algorithm = a
	copy(k.sum[:], digest)
	return k
}

// NewReferences returns an empty set. With keys, which may be nil, the signatures of
// lists are checked as they are added, for List.SignedBy and List.Unsigned; that fails no list.
func NewReferences(keys *Keys, now time.Time) *References {
	return &References{keys: keys, now: now, index: newIndex(), byContent: make(map[contentKey]*List), byName: make(map[string]*List)}
}

// Lists returns the lists in the order in which they were added.
func (r *References) Lists() []*List { return slices.Clone(r.lists) }

// All yields everything that is known, in the order in which it was added.
func (r *References) All() iter.Seq[Match] {
	return func(yield func(Match) bool) {
		for at := range r.index.records.count {
			if !yield(r.match(uint32(at))) {
				return
			}
		}
	}
}

// Note has reports say something about the references.
func (r *References) Note(text string) { r.notes = append(r.notes, text) }

// Files returns the lists that were read from files, those with keys too, in the order in
// which they were added.
func (r *References) Files() []*List { return slices.Clone(r.files) }

// Digests returns how many digests the lists hold.
func (r *References) Digests() int { return r.index.records.count }

// AddTree adds the digest lists in a folder and all folders below it: every file whose
// name is that of a list. It returns how many there were. One that cannot be read is an
// error.
func (r *References) AddTree(root string) (int, error) {
	added := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, ok := listdir.ParseName(d.Name()); !ok {
			return nil
		}
		added++
		return r.AddFile(path)
	})
	return added, err
}

// AddFile adds a digest list, whose name says its type and format.
func (r *References) AddFile(path string) error {
	name, ok := listdir.ParseName(filepath.Base(path))
	if !ok {
		return fmt.Errorf("%s: %w: not the name of a digest list", path, ErrMalformed)
	}
	content, err := regular.ReadFile(path, unix.O_NOFOLLOW, listdir.MaxListSize)
	if err != nil {
		return err
	}
	list := &List{Name: filepath.Base(path), Origin: path}
	var sums contentSums
	var hashing sync.WaitGroup
	hashing.Go(func() { sums = sumContent(content) })
	if name.Type != compact.TypeKey {
		entries := decode.Entries(formats.Lists(), name, content, parsers.Options{Want: parsers.FieldPath})
		if err := r.addEntries(list, entries); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	r.checkSignature(list, path, content)
	r.byName[list.Name] = list
	hashing.Wait()
	r.addContent(list, sums)
	list.SHA256 = sums.sha256[:]
	r.files = append(r.files, list)
	return nil
}

// AddSource adds the lists that a source makes, such as those of the packages in an RPM
// database. It returns how many there were.
func (r *References) AddSource(ctx context.Context, source parsers.Source, in parsers.Input) (int, error) {
	added := 0
	for made, err := range source.Lists(ctx, in) {
		if err != nil {
			return added, err
		}
		added++
		list := &List{Name: made.Name, Origin: origin(in), Package: true}
		if err := r.addEntries(list, made.Entries); err != nil {
			return added, fmt.Errorf("%s: %w", made.Name, err)
		}
		if len(made.Content) == 0 {
			continue
		}
		// The machine may have loaded the very list that the source makes.
		r.addContent(list, sumContent(made.Content))
	}
	return added, nil
}

func origin(in parsers.Input) string {
	if len(in.Paths) > 0 {
		return in.Paths[0]
	}
	return in.DB
}

func (r *References) addEntries(list *List, entries iter.Seq2[*parsers.Entry, error]) error {
	number := uint32(len(r.lists))
	r.printed = nil
	for e, err := range entries {
		if err == nil && !allZero(e.Digest) { // the C tools list violations, too
			err = r.index.add(number, e)
			list.Digests++
		}
		if err != nil {
			r.clear()
			return err
		}
	}
	r.lists = append(r.lists, list)
	return nil
}

// clear leaves nothing of a set that is incomplete.
func (r *References) clear() {
	empty := NewReferences(r.keys, r.now)
	r.index, r.lists, r.files = empty.index, nil, nil
	r.byName, r.byContent = empty.byName, empty.byContent
}

// contentSums are the digests that lists are recognised by as a rule.
type contentSums struct {
	sha256 [sha256.Size]byte
	sha1   [sha1.Size]byte
}

func sumContent(content []byte) contentSums {
	return contentSums{sha256.Sum256(content), sha1.Sum(content)}
}

func (r *References) addContent(list *List, sums contentSums) {
	r.printed = nil
	r.byContent[keyOf(compact.SHA256, sums.sha256[:])] = list
	r.byContent[keyOf(compact.SHA1, sums.sha1[:])] = list
}

func (r *References) checkSignature(list *List, path string, content []byte) {
	if r.keys == nil {
		return
	}
	found, err := imasig.Find(path, content)
	if err != nil {
		list.Unsigned = err
		return
	}
	verified, err := r.keys.ring.Open(found, r.now)
	if err != nil {
		list.Unsigned = err
		return
	}
	list.SignedBy = verified.Key.Name
}

// A Match is a digest of a reference.
type Match struct {
	List      *List
	Type      compact.Type
	Modifiers compact.Modifiers
	Algorithm compact.Algorithm
	Digest    []byte
	Path      string // empty if the list holds no paths
}

// Lookup yields what is known of a digest, in the order in which lists were added.
func (r *References) Lookup(algorithm compact.Algorithm, digest []byte) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		for at := r.index.first(algorithm, digest); at != none; at = r.index.next(at, algorithm, digest) {
			if !yield(r.match(at)) {
				return
			}
		}
	}
}

// At yields what is known of the files at a path.
func (r *References) At(path string) iter.Seq[Match] {
	return func(yield func(Match) bool) {
		for at := r.index.firstAt(path); at != none; at = r.index.nextAt(at, path) {
			if !yield(r.match(at)) {
				return
			}
		}
	}
}

func (r *References) match(at uint32) Match {
	rec := r.index.records.at(at)
	return Match{
		List: r.lists[rec.list], Type: rec.typ, Modifiers: rec.modifiers, Algorithm: rec.algorithm,
		Digest: r.index.digest(rec), Path: string(r.index.path(rec)),
	}
}

func (r *References) origin(rec *record) *Origin {
	list := r.lists[rec.list]
	o := &Origin{List: list.Name, Type: rec.typ.String(), Package: list.Package}
	if rec.modifiers != 0 {
		o.Modifiers = rec.modifiers.String()
	}
	return o
}

// listOf returns the list whose file has this digest.
func (r *References) listOf(algorithm compact.Algorithm, digest []byte) *List {
	if algorithm == compact.SHA256 || algorithm == compact.SHA1 {
		return r.byContent[keyOf(algorithm, digest)]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.others[algorithm] {
		r.hashFiles(algorithm)
	}
	return r.byOther[keyOf(algorithm, digest)]
}

// hashFiles computes the digests of list files that few machines need. A file that has
// gone or changed since it was added is not known by them.
func (r *References) hashFiles(algorithm compact.Algorithm) {
	if r.others == nil {
		r.others, r.byOther = make(map[compact.Algorithm]bool), make(map[contentKey]*List)
	}
	r.others[algorithm] = true
	for _, f := range r.files {
		content, err := regular.ReadFile(f.Origin, unix.O_NOFOLLOW, listdir.MaxListSize)
		if err != nil {
			continue
		}
		if sum := sha256.Sum256(content); !bytes.Equal(sum[:], f.SHA256) {
			continue
		}
		if digest, err := hashes.Sum(algorithm, content); err == nil {
			r.byOther[keyOf(algorithm, digest)] = f
		}
	}
}

// unsignedReason says in a few words why a signature does not count.
func unsignedReason(err error) string {
	if reason, ok := imasig.Reason(err); ok {
		return reason
	}
	return err.Error()
}

// noLists reports whether no entry can be a digest list of the references.
func (r *References) noLists() bool { return len(r.byContent) == 0 }
