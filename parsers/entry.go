package parsers

import (
	"digestlists/compact"
)

// An Entry is one file as a source knows it: an RPM header, a measurement list,
// a checksum file, a directory tree or a digest list.
//
// Fields that the source does not record are left at zero and missing from
// Known. Slices belong to whoever yields the entry and are valid until the next
// one: clone what is kept.
type Entry struct {
	Path      string            // absolute, or relative to the source's root
	Digest    []byte            // Algorithm.Size() bytes; always set
	Algorithm compact.Algorithm // of Digest

	Type      compact.Type      // what Digest is a digest of
	Modifiers compact.Modifiers // as recorded, or by the rule of Options.Generation

	Mode  uint16 // Unix st_mode: file type and permissions
	Size  int64  // bytes
	User  string // owner's name; sources that record numbers set UID instead
	Group string
	UID   uint32
	GID   uint32
	Caps  string // capabilities in the text form of cap_to_text(3)
	Label string // SELinux label, without its NUL

	// The attributes themselves, from sources that read them of files: nil where the
	// file has none.
	CapsValue  []byte // security.capability
	LabelValue []byte // security.selinux

	Signature []byte // contents of security.ima that the source carries for the file
	EVMDigest []byte // digest over the metadata, of the same algorithm: one of type metadata

	Known Fields
	Flags Flags
}

// Fields is a set of optional fields of an Entry.
type Fields uint16

// The optional fields.
const (
	FieldPath Fields = 1 << iota
	FieldMode
	FieldSize
	FieldNames // User and Group
	FieldIDs   // UID and GID
	FieldCaps  // also known where it is empty: the file has none
	FieldLabel // likewise
	FieldSignature
	FieldEVMDigest
)

// Flags are facts about an entry that a selection may want.
type Flags uint16

// The flags.
const (
	FlagConfig    Flags = 1 << iota // RPM %config
	FlagGhost                       // RPM %ghost: not installed by the package
	FlagViolation                   // IMA violation or missing boot_aggregate: the digest is all zeros
)

// Unix file types and bits of Entry.Mode, as in stat(2).
const (
	ModeType    = 0o170000
	ModeRegular = 0o100000
	ModeSetuid  = 0o4000
	ModeSetgid  = 0o2000
	ModeSticky  = 0o1000
	ModeExec    = 0o111
	ModeWrite   = 0o222
)

// Regular reports whether a Unix mode is that of a regular file.
func Regular(mode uint16) bool { return mode&ModeType == ModeRegular }

// Executable reports what `e:` selects: any execute, setuid, setgid or sticky bit.
func Executable(mode uint16) bool {
	return mode&(ModeExec|ModeSetuid|ModeSetgid|ModeSticky) != 0
}

// Generation is one of the two generations of the C tools, which differ in how
// they name lists and in which files they take for immutable.
type Generation int

// The generations.
const (
	Gen03  Generation = iota // 0.3
	Gen039                   // 0.3.93 to 0.3.95
)

// Immutable reports whether a file of that mode and size is marked immutable
// when its package does not say so.
//
// 0.3 takes a file for mutable if it is empty, or if it can be written and has no
// execute, setuid or sticky bit. 0.3.9x wants an execute bit, or no write bit, on
// a file that is not empty; the two differ only for setuid and sticky files
// without an execute bit.
func (g Generation) Immutable(mode uint16, size int64) bool {
	if size == 0 {
		return false
	}
	program := uint16(ModeExec)
	if g == Gen03 {
		program |= ModeSetuid | ModeSticky
	}
	return mode&program != 0 || mode&ModeWrite == 0
}
