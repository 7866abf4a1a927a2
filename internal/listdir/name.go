package listdir

import (
	"fmt"
	"strconv"
	"strings"

	"digestlists/compact"
)

const (
	// MaxPosition is the highest position of a list. The C tools keep positions
	// in a C int.
	MaxPosition = 1<<31 - 1
	// ParserLink is the symbolic link in the directory that leads to the digest
	// list of the parser, the list of format "compact" and label
	// "upload_digest_lists". It is not a list itself.
	ParserLink = "compact-upload_digest_lists"

	signatureSuffix = ".sig"
	parserFormat    = "compact"
	parserLabel     = "upload_digest_lists"
	maxFileName     = 255 // NAME_MAX of Linux, in bytes
	maxListName     = maxFileName - len(signatureSuffix)
)

// A Name is the file name of a digest list taken apart:
//
//	<position>-<type>_list-<format>-<label>
//	<position>-key_list-<label>
//
// Key lists are certificates and have no format. The kernel, too, splits names
// at the dashes: at boot it reads the lists whose third field is "compact".
type Name struct {
	Position int // 0 to MaxPosition, in decimal without leading zeros
	Type     compact.Type
	Format   string // without dashes; "" for keys and only for them
	Label    string // such as a package's name and version; dashes are fine
}

// ParseName takes a file name apart. ok is false if it is not the name of a
// list: detached signatures (".sig"), the ParserLink, names without a label.
// Names that are legal but would not be made, such as with a newline in the
// label, are lists: the kernel would load them, so that they must be seen.
func ParseName(file string) (n Name, ok bool) {
	if len(file) > maxFileName || IsSignature(file) || strings.ContainsAny(file, "/\x00") {
		return Name{}, false
	}
	position, rest, _ := strings.Cut(file, "-")
	typ, rest, _ := strings.Cut(rest, "_list-")
	if n.Position, ok = parsePosition(position); !ok {
		return Name{}, false
	}
	if n.Type, ok = parseType(typ); !ok {
		return Name{}, false
	}
	if n.Type != compact.TypeKey {
		if n.Format, rest, _ = strings.Cut(rest, "-"); n.Format == "" {
			return Name{}, false
		}
	}
	if n.Label = rest; n.Label == "" {
		return Name{}, false
	}
	return n, true
}

// IsSignature reports whether a file of that name is a detached signature.
func IsSignature(file string) bool { return strings.HasSuffix(file, signatureSuffix) }

// CopyName returns the name, at position 0, of a list that is the copy of a
// file of that base name. For types other than key the first dash-separated
// field of base becomes the format, whatever it is.
func CopyName(typ compact.Type, base string) (Name, error) {
	n := Name{Type: typ, Label: base}
	if typ != compact.TypeKey {
		var ok bool
		if n.Format, n.Label, ok = strings.Cut(base, "-"); !ok {
			return Name{}, fmt.Errorf("name of a %s list %q: want FORMAT-LABEL", typ, base)
		}
	}
	if err := n.Check(); err != nil {
		return Name{}, err
	}
	return n, nil
}

// String returns the file name.
func (n Name) String() string {
	buf := make([]byte, 0, 64)
	buf = strconv.AppendInt(buf, int64(n.Position), 10)
	buf = append(buf, '-')
	buf = append(buf, n.Type.String()...)
	buf = append(buf, "_list-"...)
	if n.Type != compact.TypeKey {
		buf = append(buf, n.Format...)
		buf = append(buf, '-')
	}
	return string(append(buf, n.Label...))
}

// Check tells whether a list of this name may be made. It is stricter than
// ParseName: control characters would cut the path that the kernel is given,
// and a name needs room for the suffix of its signature.
func (n Name) Check() error {
	switch {
	case !n.Type.Valid():
		return fmt.Errorf("list name: %w: %d", compact.ErrUnsupportedType, uint16(n.Type))
	case n.Position < 0 || n.Position > MaxPosition:
		return fmt.Errorf("list name: position %d, want 0 to %d", n.Position, MaxPosition)
	case n.Type == compact.TypeKey && n.Format != "":
		return fmt.Errorf("list name: format %q, want none for a key list", n.Format)
	case n.Type != compact.TypeKey && (n.Format == "" || strings.Contains(n.Format, "-")):
		return fmt.Errorf("list name: format %q, want one without dashes", n.Format)
	}
	for _, part := range []string{n.Format, n.Label} {
		if strings.ContainsFunc(part, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f }) {
			return fmt.Errorf("list name: %q has a slash or a control character", part)
		}
	}
	if n.Label == "" || n.Label == "." || n.Label == ".." || IsSignature(n.Label) {
		return fmt.Errorf("list name: label %q, want a file name that does not end in %q", n.Label, signatureSuffix)
	}
	if s := n.String(); len(s) > maxListName {
		return fmt.Errorf("list name %q: %d bytes, want at most %d", s, len(s), maxListName)
	}
	return nil
}

// isParser reports whether this is the list that ParserLink leads to.
func (n Name) isParser() bool {
	return n.Type == compact.TypeParser && n.Format == parserFormat && n.Label == parserLabel
}

// parsePosition accepts decimal numbers as strconv would print them, so that
// two names never mean the same position.
func parsePosition(s string) (int, bool) {
	if s == "" || len(s) > 10 || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= MaxPosition
}

func parseType(s string) (compact.Type, bool) {
	for _, t := range compact.Types() {
		if t.String() == s {
			return t, true
		}
	}
	return 0, false
}
