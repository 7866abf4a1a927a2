package kerneltable

import (
	"iter"
	"maps"
	"slices"

	"digestlists/compact"
)

// What a table costs, in bytes of kernel memory.
const (
	// overhead is what each digest costs besides its own length.
	overhead = 32
	// DefaultBudget is what the table may cost unless the command line says
	// otherwise with ima_digest_db_size.
	DefaultBudget = 16 << 20
	// MaxBudget is the largest ima_digest_db_size.
	MaxBudget = 64 << 20
)

// The last algorithms that kernels with digest lists know.
const (
	LastAlgorithm419 = compact.SM3         // Linux 4.19
	LastAlgorithm510 = compact.Streebog512 // Linux 5.10 and later
)

// Limits are what differs from one kernel to the other.
type Limits struct {
	Budget        int64             // in bytes; 0 is DefaultBudget, less is none at all
	LastAlgorithm compact.Algorithm // the highest known; 0 is LastAlgorithm510
}

// A Table is the digests that a kernel knows. A digest may be in it once for each
// type.
type Table struct {
	limits Limits
	sets   map[set]map[string]*record // by digest
	count  int
	used   int64
}

// A set is what digests have in common that are kept apart from others.
type set struct {
	typ       compact.Type
	algorithm compact.Algorithm
}

type record struct {
	modifiers  compact.Modifiers
	references int
}

// New returns an empty table.
func New(limits Limits) *Table {
	switch {
	case limits.Budget == 0:
		limits.Budget = DefaultBudget
	case limits.Budget < 0:
		limits.Budget = 0
	}
	if limits.LastAlgorithm == 0 {
		limits.LastAlgorithm = LastAlgorithm510
	}
	return &Table{limits: limits, sets: make(map[set]map[string]*record)}
}

// Count returns digests_count: the number of distinct digests of an algorithm and
// type.
func (t *Table) Count() int { return t.count }

// Used returns what the table costs, in bytes.
func (t *Table) Used() int64 { return t.used }

// Budget returns what the table may cost, in bytes.
func (t *Table) Budget() int64 { return t.limits.Budget }

// LastAlgorithm returns the highest algorithm that the kernel knows.
func (t *Table) LastAlgorithm() compact.Algorithm { return t.limits.LastAlgorithm }

// Cost returns what a digest costs, in bytes.
func Cost(a compact.Algorithm) int64 { return overhead + int64(a.Size()) }

// An Entry is a digest in a table.
type Entry struct {
	compact.Digest
	References int // how many times it was added and not deleted
}

// Lookup returns as what a digest is known: one entry for each type, in the order of
// types, and none for a digest that is not known. Sum is that of the argument.
func (t *Table) Lookup(a compact.Algorithm, sum []byte) []Entry {
	var found []Entry
	for _, typ := range compact.Types() {
		if r := t.sets[set{typ, a}][string(sum)]; r != nil {
			found = append(found, r.entry(set{typ, a}, sum))
		}
	}
	return found
}

func (r *record) entry(s set, sum []byte) Entry {
	block := compact.Block{Type: s.typ, Modifiers: r.modifiers, Algorithm: s.algorithm}
	return Entry{compact.Digest{Block: block, Sum: sum}, r.references}
}

// All yields the digests in the order of type, algorithm and digest.
func (t *Table) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, typ := range compact.Types() {
			for _, a := range compact.Algorithms() {
				s := set{typ, a}
				for _, sum := range slices.Sorted(maps.Keys(t.sets[s])) {
					if !yield(t.sets[s][sum].entry(s, []byte(sum))) {
						return
					}
				}
			}
		}
	}
}

// AddDigest does what a list with that one digest does.
func (t *Table) AddDigest(d compact.Digest) { t.add(d.Block, d.Sum) }

// add makes a digest known, or known once more. The budget does not matter to it.
func (t *Table) add(b compact.Block, sum []byte) {
	s := set{b.Type, b.Algorithm}
	if r := t.sets[s][string(sum)]; r != nil {
		r.modifiers |= b.Modifiers
		r.references++
		return
	}
	t.insert(s, string(sum), &record{b.Modifiers, 1})
}

func (t *Table) insert(s set, sum string, r *record) {
	if t.sets[s] == nil {
		t.sets[s] = make(map[string]*record)
	}
	t.sets[s][sum] = r
	t.count++
	t.used += Cost(s.algorithm)
}

// remove takes one reference to a digest away.
func (t *Table) remove(b compact.Block, sum []byte) {
	s := set{b.Type, b.Algorithm}
	r := t.sets[s][string(sum)]
	if r == nil {
		return
	}
	if r.references--; r.references > 0 {
		return
	}
	delete(t.sets[s], string(sum))
	t.count--
	t.used -= Cost(b.Algorithm)
}
