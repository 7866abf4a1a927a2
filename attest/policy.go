package attest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"digestlists/compact"
)

// A Patterns is a set of files, by name or by digest.
type Patterns struct {
	source  []byte
	globs   []string       // as regular expressions
	names   *regexp.Regexp // nil: none
	digests map[string]bool
}

// ParsePatterns reads a file of patterns, one on each line:
//
//   - a name, in which `*` stands for anything but a slash, `**` for anything, `?` for one
//     character that is no slash, and a backslash takes the next character as it is;
//   - a digest, as `algorithm:hex`.
//
// A line that starts with `#` is a comment. An empty line, spaces at either end of a line,
// and a file without any pattern are ErrMalformed: none of them ever means everything.
func ParsePatterns(data []byte) (*Patterns, error) {
	p := &Patterns{source: bytes.Clone(data), digests: make(map[string]bool)}
	var names []string
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		name, err := p.add(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 && len(p.digests) == 0 {
		return nil, fmt.Errorf("%w: no pattern", ErrMalformed)
	}
	if len(names) > 0 {
		p.globs = names
		var err error
		if p.names, err = regexp.Compile(`(?s)\A(?:` + strings.Join(names, "|") + `)\z`); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return p, nil
}

// add takes a line, and returns the regular expression if it is a name.
func (p *Patterns) add(line string) (string, error) {
	switch {
	case strings.TrimSpace(line) == "":
		return "", fmt.Errorf("%w: an empty line, want a pattern", ErrMalformed)
	case line[0] == '#':
		return "", nil
	case strings.TrimSpace(line) != line:
		return "", fmt.Errorf("%w: %s has spaces at an end", ErrMalformed, quoteText(line))
	}
	if algorithm, sum, ok := strings.Cut(line, ":"); ok {
		if a, err := compact.ParseAlgorithm(algorithm); err == nil {
			digest, err := hex.DecodeString(sum)
			if err != nil || len(digest) != a.Size() {
				return "", fmt.Errorf("%w: %s, want %d bytes in hex", ErrMalformed, quoteText(line), a.Size())
			}
			p.digests[digestKey(a, digest)] = true
			return "", nil
		}
	}
	return globRegexp(line)
}

func globRegexp(glob string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '\\':
			i++
			if i == len(glob) {
				return "", fmt.Errorf("%w: %s ends in a backslash", ErrMalformed, quoteText(glob))
			}
			fallthrough
		default:
			writeByte(&b, glob[i])
		}
	}
	return b.String(), nil
}

// writeByte quotes a byte: names need not be UTF-8, but the expression has to be.
func writeByte(b *strings.Builder, c byte) {
	if c < 0x80 {
		b.WriteString(regexp.QuoteMeta(string(rune(c))))
		return
	}
	b.WriteByte(c)
}

// Names returns the patterns of names as regular expressions for a whole name, in the
// syntax that package regexp and Python have in common, and how many digests there are
// besides.
func (p *Patterns) Names() (expressions []string, digests int) {
	if p == nil {
		return nil, 0
	}
	return slices.Clone(p.globs), len(p.digests)
}

// Match reports whether a file is in the set.
func (p *Patterns) Match(name string, algorithm compact.Algorithm, digest []byte) bool {
	if p == nil {
		return false
	}
	if len(p.digests) > 0 && p.digests[digestKey(algorithm, digest)] {
		return true
	}
	return p.names != nil && p.names.MatchString(name)
}

func digestKey(a compact.Algorithm, digest []byte) string {
	return a.String() + ":" + string(digest)
}
