package ascii

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"digestlists/compact"
)

// A line is a line of a checksum file, taken apart.
type line struct {
	name      []byte // as written
	escaped   bool   // name holds escapes
	hex       []byte
	algorithm compact.Algorithm
	named     bool // algorithm is written in the line
	whole     bool // nothing can be missing at the end
}

// parseLine takes a line without its newline apart. The digits are not checked.
func parseLine(text []byte) (line, error) {
	if err := checkText(text); err != nil {
		return line{}, err
	}
	var l line
	rest, escaped := bytes.CutPrefix(text, []byte(`\`))
	l.escaped = escaped
	var ok bool
	var err error
	word, _, spaced := bytes.Cut(rest, []byte(" "))
	switch {
	case bytes.IndexByte(word, ':') >= 0:
		ok, err = l.parsePrefixed(rest)
	case !spaced:
	case bytes.HasPrefix(rest[len(word):], []byte(" (")):
		ok, err = l.parseTagged(rest)
	default:
		ok = l.parsePlain(rest)
	}
	if err != nil {
		return line{}, err
	}
	if !ok || len(l.name) == 0 {
		return line{}, fmt.Errorf("%w: %s, want a checksum line such as those of sha256sum", compact.ErrMalformed, quote(text))
	}
	return l, nil
}

func checkText(text []byte) error {
	if len(text) == 0 {
		return fmt.Errorf("%w: an empty line, want a checksum", compact.ErrMalformed)
	}
	if text[len(text)-1] == '\r' {
		return fmt.Errorf("%w: a carriage return at the end of the line, want a newline only", compact.ErrMalformed)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return fmt.Errorf("%w: a NUL byte in the line", compact.ErrMalformed)
	}
	return nil
}

// parsePrefixed reads "algo:hex name".
func (l *line) parsePrefixed(text []byte) (bool, error) {
	algorithm, rest, _ := bytes.Cut(text, []byte(":"))
	var ok bool
	l.hex, l.name, ok = bytes.Cut(rest, []byte(" "))
	return ok, l.setAlgorithm(algorithm)
}

// parseTagged reads "ALGO (name) = hex".
func (l *line) parseTagged(text []byte) (bool, error) {
	tag, rest, _ := bytes.Cut(text, []byte(" ("))
	end := bytes.LastIndex(rest, []byte(") = "))
	if end < 0 {
		return false, nil
	}
	l.name, l.hex = rest[:end], rest[end+len(") = "):]
	l.whole = true
	return true, l.setAlgorithm(tag)
}

// parsePlain reads "hex  name" and "hex *name".
func (l *line) parsePlain(text []byte) bool {
	digest, rest, _ := bytes.Cut(text, []byte(" "))
	if len(rest) == 0 || rest[0] != ' ' && rest[0] != '*' {
		return false
	}
	l.hex, l.name = digest, rest[1:]
	return true
}

func (l *line) setAlgorithm(name []byte) error {
	var err error
	l.algorithm, err = compact.ParseAlgorithm(string(name[:min(len(name), maxQuote)]))
	l.named = true
	return err
}

// digest decodes the digits into dst, which is large enough for every algorithm.
func (l *line) digest(a compact.Algorithm, dst []byte) ([]byte, error) {
	if len(l.hex) != 2*a.Size() {
		return nil, fmt.Errorf("%w: a digest %s of %d characters, want %d for %s",
			compact.ErrMalformed, quote(l.hex), len(l.hex), 2*a.Size(), a)
	}
	n, err := hex.Decode(dst, l.hex)
	if err != nil {
		return nil, fmt.Errorf("%w: digest %s, want hex digits", compact.ErrMalformed, quote(l.hex))
	}
	return dst[:n], nil
}

// path returns the name without its escapes.
func (l *line) path() (string, error) {
	if !l.escaped {
		return string(l.name), nil
	}
	path := make([]byte, 0, len(l.name))
	for i := 0; i < len(l.name); i++ {
		c := l.name[i]
		if c == '\\' {
			i++
			if c = unescape(l.name[i:]); c == 0 {
				return "", fmt.Errorf(`%w: name %s, want only \\, \n and \r for a backslash`, compact.ErrMalformed, quote(l.name))
			}
		}
		path = append(path, c)
	}
	return string(path), nil
}

// unescape returns what a backslash and the start of rest stand for, or 0.
func unescape(rest []byte) byte {
	switch {
	case len(rest) == 0:
		return 0
	case rest[0] == 'n':
		return '\n'
	case rest[0] == 'r':
		return '\r'
	case rest[0] == '\\':
		return '\\'
	default:
		return 0
	}
}

// maxQuote is how many bytes of the input an error shows.
const maxQuote = 72

func quote(text []byte) string {
	if len(text) > maxQuote {
		return fmt.Sprintf("%q...", text[:maxQuote])
	}
	return fmt.Sprintf("%q", text)
}
