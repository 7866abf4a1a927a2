// Package reporttext puts parts of a report into words, for all that show reports to people.
package reporttext

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"digestlists/attest"
)

// Name quotes a name that could do something to a terminal, or pass for another line.
func Name(name string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if name == "" || !utf8.ValidString(name) || strings.IndexFunc(name, odd) >= 0 {
		return strconv.Quote(name)
	}
	return name
}

// Digest returns `algorithm:hex`, and nothing where there is no digest.
func Digest(algorithm string, digest attest.Hex) string {
	if digest == nil {
		return ""
	}
	return fmt.Sprintf("%s:%x", algorithm, []byte(digest))
}

// Why says why an entry has its class, or which list knows it.
func Why(f *attest.Finding) string {
	var parts []string
	if f.Reason != "" {
		parts = append(parts, f.Reason)
	} else if f.Known != nil {
		parts = append(parts, origin(f.Known))
	}
	if f.SignedBy != "" {
		parts = append(parts, "signed by "+Name(f.SignedBy))
	}
	return strings.Join(parts, "; ")
}

// origin names a list and, in parentheses, what it says of the digest.
func origin(o *attest.Origin) string {
	var words []string
	for _, word := range []string{o.Type, o.Modifiers} {
		if word != "" {
			words = append(words, word)
		}
	}
	if words == nil {
		return Name(o.List)
	}
	return fmt.Sprintf("%s (%s)", Name(o.List), strings.Join(words, ", "))
}

// Near says what nearly matches, and nothing where nothing does.
func Near(n *attest.Near) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("nearly: %s has %s for this path", Name(n.List), Digest(n.Algorithm, n.Digest))
}
