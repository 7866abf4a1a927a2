package attest

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"

	"digestlists/compact"
	"digestlists/parsers"
)

// index finds digests and paths. Reference sets are large: digests and paths are kept
// back to back, and records say where.
type index struct {
	records records
	digests arena
	paths   arena

	lastPath string // a path with several digests is kept once
	lastAt   span

	// Tables are made when they are first asked for: few verifiers ask for paths.
	seed     maphash.Seed
	byDigest lazyTable
	byPath   lazyTable
}

// record is one digest of one list.
type record struct {
	list      uint32
	digestAt  uint32
	path      span
	algorithm compact.Algorithm
	modifiers compact.Modifiers
	typ       compact.Type
}

// span is a part of index.paths, of size 0 for no path.
type span struct{ at, size uint32 }

// none is the number of no record.
const none = math.MaxUint32

func newIndex() *index { return &index{seed: maphash.MakeSeed()} }

func (x *index) add(list uint32, e *parsers.Entry) error {
	path, err := x.addPath(e.Path)
	if err != nil {
		return err
	}
	digest, err := put(&x.digests, e.Digest)
	if err != nil {
		return err
	}
	x.records.add(record{list: list, digestAt: digest, path: path, algorithm: e.Algorithm, modifiers: e.Modifiers, typ: e.Type})
	x.byDigest.made.Store(nil)
	x.byPath.made.Store(nil)
	return nil
}

func (x *index) addPath(path string) (span, error) {
	if path == "" {
		return span{}, nil
	}
	if path != x.lastPath {
		at, err := put(&x.paths, path)
		if err != nil {
			return span{}, err
		}
		x.lastPath, x.lastAt = path, span{at, uint32(len(path))}
	}
	return x.lastAt, nil
}

// digestHash needs no hashing: digests are as good as random, and references are the
// operator's own.
func digestHash(digest []byte) uint64 { return binary.LittleEndian.Uint64(digest) }

func (x *index) digest(r *record) []byte {
	return x.digests.get(r.digestAt, uint32(r.algorithm.Size()))
}

func (x *index) path(r *record) []byte {
	if r.path.size == 0 {
		return nil
	}
	return x.paths.get(r.path.at, r.path.size)
}

func (x *index) digestTable() *table {
	return x.byDigest.get(x.records.count, func(at uint32) uint64 { return digestHash(x.digest(x.records.at(at))) })
}

func (x *index) pathTable() *table {
	return x.byPath.get(x.records.count, func(at uint32) uint64 { return maphash.Bytes(x.seed, x.path(x.records.at(at))) })
}

func (x *index) first(a compact.Algorithm, digest []byte) uint32 {
	t := x.digestTable()
	return x.skipDigests(t, t.first(digestHash(digest)), a, digest)
}

func (x *index) next(at uint32, a compact.Algorithm, digest []byte) uint32 {
	t := x.digestTable()
	return x.skipDigests(t, t.next[at], a, digest)
}

// skipDigests goes on to a record of the chain that has the digest.
func (x *index) skipDigests(t *table, at uint32, a compact.Algorithm, digest []byte) uint32 {
	for at != none {
		r := x.records.at(at)
		if r.algorithm == a && bytes.Equal(x.digest(r), digest) {
			return at
		}
		at = t.next[at]
	}
	return none
}

func (x *index) firstAt(path string) uint32 {
	if path == "" {
		return none
	}
	t := x.pathTable()
	return x.skipPaths(t, t.first(maphash.String(x.seed, path)), path)
}

func (x *index) nextAt(at uint32, path string) uint32 {
	t := x.pathTable()
	return x.skipPaths(t, t.next[at], path)
}

func (x *index) skipPaths(t *table, at uint32, path string) uint32 {
	for at != none {
		if string(x.path(x.records.at(at))) == path {
			return at
		}
		at = t.next[at]
	}
	return none
}

// table chains the records whose keys have the lowest bits in common, in the order in which
// they were added.
type table struct {
	heads []uint32 // by the lowest bits
	next  []uint32 // by record
}

func newTable(records int, key func(at uint32) uint64) *table {
	size := 1
	for size < records {
		size *= 2
	}
	t := &table{heads: make([]uint32, size), next: make([]uint32, records)}
	for i := range t.heads {
		t.heads[i] = none
	}
	for at := records - 1; at >= 0; at-- {
		head := &t.heads[key(uint32(at))&uint64(size-1)]
		t.next[at], *head = *head, uint32(at)
	}
	return t
}

func (t *table) first(key uint64) uint32 { return t.heads[key&uint64(len(t.heads)-1)] }

// lazyTable is a table that any of several readers may make.
type lazyTable struct {
	made atomic.Pointer[table]
	mu   sync.Mutex // held to make it
}

func (l *lazyTable) get(records int, key func(at uint32) uint64) *table {
	if t := l.made.Load(); t != nil {
		return t
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.made.Load()
	if t == nil {
		t = newTable(records, key)
		l.made.Store(t)
	}
	return t
}
