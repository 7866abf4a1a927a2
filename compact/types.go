package compact

import (
	"fmt"
	"strings"
)

// Type says what the digests of a list are digests of.
type Type uint16

// The list types, in the order in which lists are loaded.
const (
	TypeKey      Type = iota // certificates whose keys sign other lists
	TypeParser               // executables that may upload lists as data
	TypeFile                 // file contents
	TypeMetadata             // EVM digests: file content with owner, mode and attributes
)

var typeNames = [...]string{"key", "parser", "file", "metadata"}

// Types returns all types in loading order.
func Types() []Type { return []Type{TypeKey, TypeParser, TypeFile, TypeMetadata} }

// Valid reports whether the kernel knows the type.
func (t Type) Valid() bool { return int(t) < len(typeNames) }

// String returns "key", "parser", "file" or "metadata".
func (t Type) String() string {
	if !t.Valid() {
		return fmt.Sprintf("type(%d)", uint16(t))
	}
	return typeNames[t]
}

// ParseType returns the type of that name, in lower case. Another name is
// ErrUnsupportedType.
func ParseType(name string) (Type, error) {
	for i, known := range typeNames {
		if known == name {
			return Type(i), nil
		}
	}
	return 0, fmt.Errorf("%w: %q, want key, parser, file or metadata", ErrUnsupportedType, name)
}

// Modifiers is the bit set of a block. The kernel keeps bits it does not know.
type Modifiers uint16

// Immutable marks files that may not be written to: under appraisal, only these
// may be executed, and opening one for writing is refused.
const Immutable Modifiers = 1 << 0

// String returns the names of the bits joined with commas; unknown bits in hex.
func (m Modifiers) String() string {
	var names []string
	if m&Immutable != 0 {
		names = append(names, "immutable")
	}
	if rest := m &^ Immutable; rest != 0 {
		names = append(names, fmt.Sprintf("%#x", uint16(rest)))
	}
	return strings.Join(names, ",")
}

// ParseModifiers reads modifier names separated by commas or spaces. An empty
// string means none; an unknown name is ErrUnsupportedModifier.
func ParseModifiers(names string) (Modifiers, error) {
	var m Modifiers
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' }) {
		if name != "immutable" {
			return 0, fmt.Errorf("%w: %q, want immutable", ErrUnsupportedModifier, name)
		}
		m |= Immutable
	}
	return m, nil
}
