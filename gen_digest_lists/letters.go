package main

import (
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/metadata"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
	"digestlists/parsers/tlv"
)

// letters are the options that -i LETTER:VALUE sets.
type letters struct {
	used        bool     // any letter: the call is of the 0.3.9x generation
	options     bool     // any but I:, which is an input
	pathsFile   string   // L: file of input paths
	records     bool     // M: it has records
	listPaths   bool     // G: print the paths instead
	nameByFile  bool     // u: name the list after it
	executables bool     // e:
	exclude     []string // E:
	include     []string // F:
	known       string   // D:
	convert     bool     // f:
	tlv         bool     // f:compact_tlv
	cache       bool     // f:tlv: for the Integrity Digest Cache
	packages    []prefix // p:

	metadataLetters
}

// A prefix is how wanted names start.
type prefix struct {
	text  string
	found bool // a name starts so
}

// metadataLetters are those that are about owners, modes and attributes.
type metadataLetters struct {
	contents  bool            // i: digests of contents too
	label     metadata.Labels // l:
	rootOwned bool            // r:
	passwd    string          // U:
	group     string          // g:
	setIMA    bool            // x:
	setEVM    bool            // x:evm
}

// parseLetters splits the values of -i into options and input paths. A value is
// an option if its second character is a colon.
func parseLetters(values []string) (letters, []string, error) {
	var l letters
	var paths []string
	for _, value := range values {
		if len(value) < 2 || value[1] != ':' {
			paths = append(paths, value)
			continue
		}
		l.used = true
		if value[0] == 'I' {
			paths = append(paths, value[2:])
			continue
		}
		l.options = true
		if err := l.set(value[0], value[2:]); err != nil {
			return letters{}, nil, err
		}
	}
	for _, path := range append(paths, l.exclude...) {
		if path == "" {
			return letters{}, nil, command.Usagef("-i: empty path")
		}
	}
	return l, paths, nil
}

func (l *letters) set(letter byte, value string) error {
	if strings.IndexByte("LEFDfpUg", letter) >= 0 && value == "" {
		return command.Usagef("-i %c: needs a value", letter)
	}
	if strings.IndexByte("MGueir", letter) >= 0 && value != "" {
		return command.Usagef("-i %c: takes no value, not %q", letter, value)
	}
	switch letter {
	case 'L':
		l.pathsFile = value
	case 'M':
		l.records = true
	case 'G':
		l.listPaths = true
	case 'u':
		l.nameByFile = true
	case 'e':
		l.executables = true
	case 'E':
		l.exclude = append(l.exclude, value)
	case 'F':
		l.include = append(l.include, value)
	case 'D':
		l.known = value
	case 'p':
		l.packages = append(l.packages, prefix{text: value})
	case 'f':
		return l.setFormat(value)
	default:
		return l.metadataLetters.set(letter, value)
	}
	return nil
}

func (l *letters) setFormat(format string) error {
	switch format {
	case compactlist.Format, compactlist.TLVFormat, tlv.Format:
		l.convert, l.tlv, l.cache = true, format == compactlist.TLVFormat, format == tlv.Format
		return nil
	}
	return command.Usagef("-i f: unknown format %q, want %s, %s or %s", format, compactlist.Format, compactlist.TLVFormat, tlv.Format)
}

func (l *metadataLetters) set(letter byte, value string) error {
	switch letter {
	case 'i':
		l.contents = true
	case 'l':
		return l.setLabel(value)
	case 'r':
		l.rootOwned = true
	case 'U':
		l.passwd = value
	case 'g':
		l.group = value
	case 'x':
		return l.setAttribute(value)
	default:
		return command.Usagef("-i %c: is not an option", letter)
	}
	return nil
}

func (l *metadataLetters) setLabel(from string) error {
	switch from {
	case "":
		l.label = metadata.FileLabels
	case "policy":
		l.label = metadata.PolicyLabels
	default:
		return command.Usagef("-i l:%s: want l: for the files' own labels or l:policy", from)
	}
	return nil
}

func (l *metadataLetters) setAttribute(which string) error {
	switch which {
	case "", "ima":
		l.setIMA = true
	case "evm":
		l.setEVM = true
	default:
		return command.Usagef("-i x:%s: want x: for security.ima or x:evm", which)
	}
	return nil
}

// selects reports whether a file goes into the list: not excluded and, with e:,
// executable or under a prefix given with F:.
func (l *letters) selects(e *parsers.Entry) bool {
	if hasPrefix(e.Path, l.exclude) {
		return false
	}
	return !l.executables || parsers.Executable(e.Mode) || hasPrefix(e.Path, l.include)
}

// filters reports whether selects can be false.
func (l *letters) filters() bool { return l.executables || len(l.exclude) > 0 }

// selectsPackage reports whether the list of that name, which starts with the
// package's, is wanted.
func (l *letters) selectsPackage(list string) bool {
	selected := len(l.packages) == 0
	for i := range l.packages {
		if strings.HasPrefix(list, l.packages[i].text) {
			l.packages[i].found, selected = true, true
		}
	}
	return selected
}

func hasPrefix(s string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
