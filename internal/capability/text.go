package capability

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// flags are the three masks that text speaks of, at the places of their letters in
// the numbers below.
type flags [3]uint64

const letters = "epi"

const (
	effective = iota
	permitted
	inheritable
)

// Parse reads text: clauses separated by spaces, each a list of names or numbers,
// then operators with letters. "=" clears the flags of the names and raises those of
// its letters, "+" raises and "-" lowers. Without names, "=" means all. What
// cap_from_text(3) or cap_set_file(3) refuses is ErrText.
func Parse(text string) (Set, error) {
	var f flags
	clauses, root, err := cutRootID(text)
	if err != nil {
		return Set{}, err
	}
	for _, clause := range strings.FieldsFunc(clauses, isSpace) {
		if err := f.apply(clause); err != nil {
			return Set{}, fmt.Errorf("%w %q: %q: %w", ErrText, text, clause, err)
		}
	}
	file := f[permitted] | f[inheritable]
	if f[effective] != 0 && file&^f[effective] != 0 {
		return Set{}, fmt.Errorf("%w %q: a file has either none or all of its capabilities effective", ErrText, text)
	}
	return Set{Permitted: f[permitted], Inheritable: f[inheritable], Effective: f[effective] != 0, RootID: root}, nil
}

func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// cutRootID takes a number as in "cap_chown=p [rootid=1000]" from the end.
func cutRootID(text string) (clauses string, root uint32, err error) {
	clauses, rest, found := strings.Cut(text, " [rootid=")
	if !found {
		return text, 0, nil
	}
	number, closed := strings.CutSuffix(rest, "]")
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || !closed || n == 0 {
		return "", 0, fmt.Errorf("%w %q: want [rootid=N] at the end, with a number from 1", ErrText, text)
	}
	return clauses, uint32(n), nil
}

// apply changes the flags as a clause says.
func (f *flags) apply(clause string) error {
	end := strings.IndexAny(clause, "=+-")
	if end < 0 {
		return fmt.Errorf("no operator, want one of = + -")
	}
	mask, err := maskOfList(clause[:end], clause[end])
	if err != nil {
		return err
	}
	ops := clause[end:]
	for first := true; ops != ""; first = false {
		op := ops[0]
		rest := strings.TrimLeft(ops[1:], letters)
		raised := ops[1 : len(ops)-len(rest)]
		switch {
		case rest != "" && (rest[0] != '+' && rest[0] != '-' || end == 0):
			return fmt.Errorf("unexpected %q", rest)
		case op != '=' && raised == "":
			return fmt.Errorf("%q without a letter, want some of e, i and p", op)
		case op == '=' && first:
			f.lower(mask, letters)
			f.raise(mask, raised)
		case op == '+':
			f.raise(mask, raised)
		default:
			f.lower(mask, raised)
		}
		ops = rest
	}
	return nil
}

func (f *flags) raise(mask uint64, which string) {
	for _, letter := range which {
		f[strings.IndexRune(letters, letter)] |= mask
	}
}

func (f *flags) lower(mask uint64, which string) {
	for _, letter := range which {
		f[strings.IndexRune(letters, letter)] &^= mask
	}
}

func maskOfList(list string, op byte) (mask uint64, err error) {
	if list == "" {
		if op != '=' {
			return 0, fmt.Errorf("%q without a name", op)
		}
		return named, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		m, ok := maskOf(name)
		if !ok {
			return 0, fmt.Errorf("unknown capability %q", name)
		}
		if m == named { // "all" takes numbers without a name back, as libcap does
			mask = 0
		}
		mask |= m
	}
	return mask, nil
}

// String returns the text that getcap(8) prints, with the root's number, if there is
// one, as its option -n does.
func (s Set) String() string {
	f := flags{permitted: s.Permitted, inheritable: s.Inheritable}
	if s.Effective {
		f[effective] = s.Permitted | s.Inheritable
	}
	common := f.mostCommon()
	clauses := []string{"=" + lettersOf(common)}
	for pattern := 7; pattern >= 0; pattern-- {
		list := f.list(pattern, named)
		if pattern == common || list == "" {
			continue
		}
		raised, lowered := lettersOf(pattern&^common), lettersOf(common&^pattern)
		switch {
		case raised == "":
		case len(clauses) == 1 && clauses[0] == "=":
			clauses, raised = nil, "="+raised
		default:
			raised = "+" + raised
		}
		if lowered != "" {
			lowered = "-" + lowered
		}
		clauses = append(clauses, list+raised+lowered)
	}
	for pattern := 7; pattern > 0; pattern-- {
		if list := f.list(pattern, ^named); list != "" {
			clauses = append(clauses, list+"+"+lettersOf(pattern))
		}
	}
	if s.RootID != 0 {
		clauses = append(clauses, fmt.Sprintf("[rootid=%d]", s.RootID))
	}
	return strings.Join(clauses, " ")
}

// lettersOf returns the letters of a pattern: bit N is for letters[N]. They are
// printed as e, i, p.
func lettersOf(pattern int) string {
	return [...]string{"", "e", "p", "ep", "i", "ei", "ip", "eip"}[pattern]
}

// with returns which capabilities have the flags of the pattern, and no others.
func (f *flags) with(pattern int) uint64 {
	mask := ^uint64(0)
	for n, has := range f {
		if pattern&(1<<n) == 0 {
			has = ^has
		}
		mask &= has
	}
	return mask
}

// mostCommon returns the pattern that most of the named capabilities have, the
// least of several.
func (f *flags) mostCommon() int {
	common, most := 0, -1
	for pattern := range 8 {
		if n := bits.OnesCount64(f.with(pattern) & named); n > most {
			common, most = pattern, n
		}
	}
	return common
}

// list returns the names of those with the pattern, as far as they are in mask.
func (f *flags) list(pattern int, mask uint64) string {
	var list []string
	for left := f.with(pattern) & mask; left != 0; left &= left - 1 {
		list = append(list, nameOf(bits.TrailingZeros64(left)))
	}
	return strings.Join(list, ",")
}
