package attest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"

	"digestlists/compact"
	"digestlists/parsers"
)

// index finds digests and paths. Reference sets are large: digests and paths are kept
// back to back, and records refer to them by offset.
type index struct {
	records []record
	digests []byte
	paths   []byte

	byDigest map[uint64]chain // by the first bytes of a digest
	byPath   map[uint64]chain // by hash
	seed     maphash.Seed

	lastPath string // a path with several digests is kept once
	lastAt   span
}

// record is one digest of one list.
type record struct {
	list       uint32
	digestAt   uint32
	path       span
	nextDigest uint32 // with the same key, or none
	nextPath   uint32
	algorithm  compact.Algorithm
	modifiers  compact.Modifiers
	typ        compact.Type
}

// span is a part of index.paths.
type span struct{ at, size uint32 }

// chain is the first and the last record of a key.
type chain struct{ first, last uint32 }

// none is the number of no record.
const none = math.MaxUint32

// maxIndex bounds digests and paths, in bytes: offsets have 32 bits.
const maxIndex = math.MaxUint32 - compact.MaxDigestSize

func (x *index) add(list uint32, e *parsers.Entry) error {
	if x.byDigest == nil {
		x.byDigest, x.byPath = make(map[uint64]chain), make(map[uint64]chain)
		x.seed = maphash.MakeSeed()
	}
	if len(x.digests) > maxIndex || len(x.paths)+len(e.Path) > maxIndex {
		return fmt.Errorf("%w: references of more than 4 GiB", compact.ErrTooLarge)
	}
	at := uint32(len(x.records))
	x.records = append(x.records, record{
		list: list, digestAt: uint32(len(x.digests)), path: x.addPath(e.Path),
		nextDigest: none, nextPath: none, algorithm: e.Algorithm, modifiers: e.Modifiers, typ: e.Type,
	})
	x.digests = append(x.digests, e.Digest...)
	key := digestHash(e.Algorithm, e.Digest)
	if c, ok := x.byDigest[key]; ok {
		x.records[c.last].nextDigest = at
		x.byDigest[key] = chain{c.first, at}
	} else {
		x.byDigest[key] = chain{at, at}
	}
	if e.Path == "" {
		return nil
	}
	key = maphash.String(x.seed, e.Path)
	if c, ok := x.byPath[key]; ok {
		x.records[c.last].nextPath = at
		x.byPath[key] = chain{c.first, at}
	} else {
		x.byPath[key] = chain{at, at}
	}
	return nil
}

func (x *index) addPath(path string) span {
	if path != x.lastPath {
		x.lastAt = span{uint32(len(x.paths)), uint32(len(path))}
		x.lastPath = path
		x.paths = append(x.paths, path...)
	}
	if path == "" {
		return span{}
	}
	return x.lastAt
}

// digestHash needs no hashing: digests are as good as random, and references are the
// operator's own.
func digestHash(a compact.Algorithm, digest []byte) uint64 {
	return binary.LittleEndian.Uint64(digest) ^ uint64(a)
}

func (x *index) digest(r *record) []byte {
	return x.digests[r.digestAt:][:r.algorithm.Size()]
}

func (x *index) path(r *record) string {
	return string(x.paths[r.path.at:][:r.path.size])
}

func (x *index) first(a compact.Algorithm, digest []byte) uint32 {
	c, ok := x.byDigest[digestHash(a, digest)]
	if !ok {
		return none
	}
	return x.skipDigests(c.first, a, digest)
}

func (x *index) next(at uint32, a compact.Algorithm, digest []byte) uint32 {
	return x.skipDigests(x.records[at].nextDigest, a, digest)
}

// skipDigests goes on to a record that has more than the first bytes in common.
func (x *index) skipDigests(at uint32, a compact.Algorithm, digest []byte) uint32 {
	for at != none {
		r := &x.records[at]
		if r.algorithm == a && bytes.Equal(x.digest(r), digest) {
			return at
		}
		at = r.nextDigest
	}
	return none
}

func (x *index) firstAt(path string) uint32 {
	if len(x.byPath) == 0 || path == "" {
		return none
	}
	c, ok := x.byPath[maphash.String(x.seed, path)]
	if !ok {
		return none
	}
	return x.skipPaths(c.first, path)
}

func (x *index) nextAt(at uint32, path string) uint32 {
	return x.skipPaths(x.records[at].nextPath, path)
}

func (x *index) skipPaths(at uint32, path string) uint32 {
	for at != none {
		r := &x.records[at]
		if string(x.paths[r.path.at:][:r.path.size]) == path {
			return at
		}
		at = r.nextPath
	}
	return none
}
