package tlv

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"digestlists/compact"
	"digestlists/parsers"
)

// A Builder makes a list. Entries of an algorithm come together, in the order in which they
// were added; algorithms come in the order of their first entries.
type Builder struct {
	groups []group
}

type group struct {
	algorithm compact.Algorithm
	count     uint32
	entries   []byte
}

// Add adds an entry: its digest, and its path if that is known.
func (b *Builder) Add(e *parsers.Entry) error {
	if !e.Algorithm.Valid() || len(e.Digest) != e.Algorithm.Size() {
		return fmt.Errorf("tlv: %d bytes of digest, %s has %d", len(e.Digest), e.Algorithm, e.Algorithm.Size())
	}
	body := appendField(nil, entryDigest, e.Digest)
	if e.Known&parsers.FieldPath != 0 {
		path := e.Path + "\x00"
		if err := checkPath(path); err != nil {
			return fmt.Errorf("tlv: %w", err)
		}
		body = appendField(body, entryPath, []byte(path))
	}
	g := b.group(e.Algorithm)
	if g.count == math.MaxUint32 {
		return fmt.Errorf("tlv: %w: more than %d entries", compact.ErrTooLarge, g.count)
	}
	g.count++
	g.entries = appendField(g.entries, fieldEntry, body)
	return nil
}

func (b *Builder) group(a compact.Algorithm) *group {
	for i := range b.groups {
		if b.groups[i].algorithm == a {
			return &b.groups[i]
		}
	}
	b.groups = append(b.groups, group{algorithm: a})
	return &b.groups[len(b.groups)-1]
}

// Bytes returns the list, nil if nothing was added.
func (b *Builder) Bytes() []byte {
	var out []byte
	for _, g := range b.groups {
		out = appendField(out, fieldAlgorithm, binary.BigEndian.AppendUint16(nil, uint16(g.algorithm)))
		out = appendField(out, fieldCount, binary.BigEndian.AppendUint32(nil, g.count))
		out = append(out, g.entries...)
	}
	return out
}

func appendField(out []byte, field uint16, value []byte) []byte {
	out = binary.BigEndian.AppendUint16(out, field)
	out = binary.BigEndian.AppendUint32(out, uint32(len(value)))
	return append(out, value...)
}

// checkPath checks a path with its NUL.
func checkPath(path string) error {
	switch end := strings.IndexByte(path, 0); {
	case len(path) > maxPath:
		return fmt.Errorf("path of %d bytes, want at most %d", len(path), maxPath)
	case end < 0 || end != len(path)-1:
		return fmt.Errorf("path %q, want one NUL, at its end", path)
	case path[0] != '/':
		return fmt.Errorf("path %q is not absolute", path[:end])
	}
	return nil
}
