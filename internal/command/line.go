package command

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// OneLine returns text that may hold names of files with what would end the line, or change the terminal it is shown
// on, written as Go does in strings.
func OneLine(text string) string {
	odd := func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }
	if strings.IndexFunc(text, odd) < 0 {
		return text
	}
	var line strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if part := text[:size]; odd(r) {
			quoted := strconv.Quote(part)
			line.WriteString(quoted[1 : len(quoted)-1])
		} else {
			line.WriteString(part)
		}
		text = text[size:]
	}
	return line.String()
}
