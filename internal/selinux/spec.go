package selinux

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"golang.org/x/sys/unix"
)

const kindMask = unix.S_IFMT

// kinds are the types of files as file_contexts names them.
var kinds = map[string]uint16{
	"--": unix.S_IFREG, "-d": unix.S_IFDIR, "-l": unix.S_IFLNK, "-c": unix.S_IFCHR,
	"-b": unix.S_IFBLK, "-p": unix.S_IFIFO, "-s": unix.S_IFSOCK,
}

// special are the characters that make a path an expression.
const special = `.^$?*+|[({`

// addSpec adds a line: expression, optional type, label.
func (p *Policy) addSpec(fields []string) error {
	var s spec
	switch len(fields) {
	case 2:
	case 3:
		var ok bool
		if s.kind, ok = kinds[fields[1]]; !ok {
			return fmt.Errorf("type of file %q, want one of --, -d, -l, -c, -b, -p and -s", fields[1])
		}
	default:
		return fmt.Errorf("%d fields, want an expression, a type of file or none, and a label", len(fields))
	}
	if s.label = fields[len(fields)-1]; s.label == none {
		s.label = ""
	} else if err := CheckLabel(s.label); err != nil {
		return err
	}
	if literal, ok := literal(fields[0]); ok {
		p.exact[literal] = append(p.exact[literal], s)
		return nil
	}
	var err error
	// libselinux, too, puts these around the expression and nothing between: the ends
	// of an alternative at the top are free.
	anchored := "(?s)^" + fields[0] + "$"
	if s.pattern, err = regexp.Compile(anchored); err != nil {
		return err
	}
	s.stem, s.prefix = stem(fields[0]), prefix(anchored)
	p.regexps = append(p.regexps, s)
	return nil
}

// stem returns the first folder of an expression, with its slashes, if it has no special
// character. libselinux looks for the paths of an expression in this folder alone: /b/?
// matches no /b, and /a/b|/c no /c (selabel_file(5) does not say so; its get_stem_from_spec).
func stem(expr string) string {
	if folder := strings.IndexByte(expr[1:], '/') + 2; folder > 1 && !strings.ContainsAny(expr[:folder], special) {
		return expr[:folder]
	}
	return ""
}

// literal returns the one path that an expression without special characters matches.
func literal(expr string) (path string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		if strings.IndexByte(special, expr[i]) >= 0 {
			return "", false
		}
		if expr[i] == '\\' {
			if i++; i == len(expr) || isWord(expr[i]) {
				return "", false
			}
		}
		b.WriteByte(expr[i])
	}
	return b.String(), true
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

// prefix returns text that every path starts with which the anchored expression
// matches.
func prefix(anchored string) string {
	re, err := syntax.Parse(anchored, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || re.Sub[0].Op != syntax.OpBeginText {
		return ""
	}
	if text := re.Sub[1]; text.Op == syntax.OpLiteral && text.Flags&syntax.FoldCase == 0 {
		return string(text.Rune)
	}
	return ""
}

// errLabel is a label that cannot be one.
var errLabel = errors.New("bad label")

// CheckLabel checks the form of a label: user, role, type and, where the policy has
// levels, a range, with colons between. Whether the policy knows them is not checked.
func CheckLabel(label string) error {
	parts := strings.SplitN(label, ":", 4)
	if len(parts) < 3 || strings.ContainsFunc(label, isBad) {
		return fmt.Errorf("%w %q, want user:role:type or user:role:type:range", errLabel, label)
	}
	for _, part := range parts {
		if part == "" {
			return fmt.Errorf("%w %q, want user:role:type or user:role:type:range", errLabel, label)
		}
	}
	return nil
}

// isBad tells characters that no part of a label has.
func isBad(r rune) bool { return r <= ' ' || r >= 0x7f || r == '/' || r == '|' }
