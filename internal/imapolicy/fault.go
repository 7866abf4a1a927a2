package imapolicy

import (
	"fmt"
	"strings"
)

// A Fault is what a kernel refuses a policy for.
type Fault struct {
	Line   int // from 1
	Column int // of the word, in bytes, from 1
	Word   string
	Reason string
}

func (f Fault) Error() string {
	if f.Word == "" {
		return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Reason)
	}
	return fmt.Sprintf("%d:%d: %s: %s", f.Line, f.Column, quoted(f.Word), f.Reason)
}

// quoted shows a word of a policy as it is, unless that would not show it.
func quoted(word string) string {
	if q := fmt.Sprintf("%+q", word); len(word) > 60 || q != `"`+word+`"` {
		return fmt.Sprintf("%+.60q", word)
	}
	return word
}

// Faults are those of a policy in the order of its lines, at most one for a rule.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}
