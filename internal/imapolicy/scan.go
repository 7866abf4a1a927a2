package imapolicy

import (
	"bytes"
	"strings"
)

// A word of a rule. Column counts bytes from 1.
type word struct {
	text   string
	column int
}

// words splits a line as the kernel does. What begins with # is a comment to the end.
func words(line string) (list []word, comment int) {
	for start := 0; start < len(line); {
		end := strings.IndexAny(line[start:], " \t")
		if end < 0 {
			end = len(line) - start
		}
		if end > 0 {
			w := word{line[start : start+end], start + 1}
			if strings.HasPrefix(w.text, "#") {
				return list, w.column
			}
			list = append(list, w)
		}
		start += end + 1
	}
	return list, 0
}

// unreadable finds what ends a policy for the kernel where a reader of the text sees
// no end, or the other way round.
func unreadable(content []byte) (Fault, bool) {
	if i := bytes.IndexByte(content, 0); i >= 0 {
		before := content[:i]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := i - bytes.LastIndexByte(before, '\n')
		return Fault{Line: line, Column: column, Reason: "NUL byte in the text"}, true
	}
	return Fault{}, false
}
