package capability

import (
	"encoding/binary"
	"errors"
	"fmt"

	"digestlists/compact"
)

// AttributeName is the extended attribute that holds a file's capabilities.
const AttributeName = "security.capability"

// A Set is the capabilities of a file. Bit N of a mask is capability N.
type Set struct {
	Permitted   uint64
	Inheritable uint64
	Effective   bool   // both are also effective
	RootID      uint32 // of the user namespace, 0 for the initial one
}

const (
	revision2 = 2 << 24
	revision3 = 3 << 24
	size2     = 20
	size3     = 24

	maskRevision  = 0xff000000
	flagEffective = 1
)

// Encode returns the value of the attribute: revision 3 if there is a RootID, else
// revision 2.
func (s Set) Encode() []byte {
	magic := uint32(revision2)
	if s.RootID != 0 {
		magic = revision3
	}
	if s.Effective {
		magic |= flagEffective
	}
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, size3), magic)
	for _, shift := range [...]int{0, 32} {
		b = binary.LittleEndian.AppendUint32(b, uint32(s.Permitted>>shift))
		b = binary.LittleEndian.AppendUint32(b, uint32(s.Inheritable>>shift))
	}
	if s.RootID != 0 {
		b = binary.LittleEndian.AppendUint32(b, s.RootID)
	}
	return b
}

// Decode reads a value of revision 2 or 3. Another revision, unknown flags or a wrong size
// are errors.
func Decode(value []byte) (Set, error) {
	if len(value) < 4 {
		return Set{}, fmt.Errorf("%s: %w: %d bytes, want %d or %d", AttributeName, compact.ErrTruncated, len(value), size2, size3)
	}
	magic := binary.LittleEndian.Uint32(value)
	want := size2
	switch magic & maskRevision {
	case revision2:
	case revision3:
		want = size3
	default:
		return Set{}, fmt.Errorf("%s: %w: %d, want 2 or 3", AttributeName, compact.ErrUnsupportedVersion, magic>>24)
	}
	if len(value) != want {
		return Set{}, fmt.Errorf("%s: %w: %d bytes, want %d for revision %d", AttributeName, compact.ErrMalformed, len(value), want, magic>>24)
	}
	if flags := magic &^ maskRevision; flags > flagEffective {
		return Set{}, fmt.Errorf("%s: %w: flags %#x, want 0 or %d", AttributeName, compact.ErrMalformed, flags, flagEffective)
	}
	word := func(offset int) uint64 { return uint64(binary.LittleEndian.Uint32(value[offset:])) }
	s := Set{
		Permitted:   word(4) | word(12)<<32,
		Inheritable: word(8) | word(16)<<32,
		Effective:   magic&flagEffective != 0,
	}
	if want == size3 {
		s.RootID = uint32(word(20))
	}
	return s, nil
}

// ErrText is the class of errors of text that is refused.
var ErrText = errors.New("bad capability text")
