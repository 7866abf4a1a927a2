// Package reporttext puts parts of a report into words, for all that show reports to people.
package reporttext

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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

// AllKnown says what it is that makes a machine trusted.
func AllKnown(r *attest.Report) string {
	if r.Entries == 0 {
		return "every audited file is known"
	}
	return "every attested entry is known"
}

// Why says why an entry has its class, or which list knows it.
func Why(f *attest.Finding) string {
	var parts []string
	if because := reason(f.Reason, f.Known); because != "" {
		parts = append(parts, because)
	}
	if f.SignedBy != "" {
		parts = append(parts, "signed by "+Name(f.SignedBy))
	}
	return strings.Join(parts, "; ")
}

func reason(reason string, known *attest.Origin) string {
	if reason != "" || known == nil {
		return reason
	}
	return origin(known)
}

// Audited says why an audited file has its class, or which list knows it.
func Audited(f *attest.AuditFinding) string { return reason(f.Reason, f.Known) }

// Use says who used an audited file, with what, how often and when.
func Use(f *attest.AuditFinding) string {
	words := "used by an unknown user"
	if f.UID != nil {
		words = fmt.Sprintf("used by uid %d", *f.UID)
	}
	if f.LoginUID != nil {
		words += fmt.Sprintf(" (login uid %d)", *f.LoginUID)
	}
	words += " with " + Name(f.Command)
	if f.Program != "" {
		words += " (" + Name(f.Program) + ")"
	}
	words += fmt.Sprintf(", pid %d", f.PID)
	if f.Records == 1 {
		return words + ", " + f.First.Format(time.RFC3339)
	}
	return words + fmt.Sprintf(" first, %d times from %s to %s", f.Records, f.First.Format(time.RFC3339), f.Last.Format(time.RFC3339))
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
