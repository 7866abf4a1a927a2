package packed

import (
	"slices"
	"strconv"
	"strings"
)

// endings are those of compressed files, of formats that NewReader does not read, too: it says so.
var endings = []string{".gz", ".zst", ".xz", ".bz2", ".lz4", ".lzma"}

// Rotated tells how often the log called name was rotated until it was called file, as auditd and logrotate number
// them: 0 for NAME, 1 for NAME.1 and so on, each maybe with the ending of compressed files. ok is false for any
// other name.
func Rotated(file, name string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(file, name)
	if !ok {
		return 0, false
	}
	if dot := strings.LastIndexByte(rest, '.'); dot >= 0 && slices.Contains(endings, rest[dot:]) {
		rest = rest[:dot]
	}
	if rest == "" {
		return 0, true
	}
	number, numbered := strings.CutPrefix(rest, ".")
	count, err := strconv.ParseUint(number, 10, 31)
	return int(count), numbered && err == nil && count > 0
}
