package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf8"

	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// textForm prints a line with the name of each list, and one for each record: type,
// digest, then NAME=VALUE of what else is known.
var textForm = form{
	list: func(dst []byte, list listdir.List) []byte {
		return fmt.Appendf(dst, "# %s\n", printable(list.File))
	},
	entry: func(dst []byte, _ listdir.List, e *parsers.Entry) []byte {
		return append(appendText(dst, e), '\n')
	},
	key: func(dst []byte, _ listdir.List, key *imasig.Key) []byte {
		return fmt.Appendf(dst, "key id=%s\n", key.ID)
	},
}

func appendText(dst []byte, e *parsers.Entry) []byte {
	dst = append(append(dst, e.Type.String()...), ' ')
	dst = append(append(dst, e.Algorithm.String()...), ':')
	dst = hex.AppendEncode(dst, e.Digest)
	if e.Modifiers != 0 {
		dst = append(append(dst, ' '), e.Modifiers.String()...)
	}
	if e.Known&parsers.FieldPath != 0 {
		dst = append(append(dst, " path="...), printable(e.Path)...)
	}
	if e.Known&parsers.FieldMode != 0 {
		dst = strconv.AppendUint(append(dst, " mode=0"...), uint64(e.Mode), 8)
	}
	if e.Known&parsers.FieldSize != 0 {
		dst = strconv.AppendInt(append(dst, " size="...), e.Size, 10)
	}
	if e.Known&parsers.FieldNames != 0 {
		dst = fmt.Appendf(dst, " owner=%s:%s", printable(e.User), printable(e.Group))
	}
	if e.Known&parsers.FieldIDs != 0 {
		dst = fmt.Appendf(dst, " ids=%d:%d", e.UID, e.GID)
	}
	if e.Caps != "" {
		dst = append(append(dst, " caps="...), printable(e.Caps)...)
	}
	if e.Label != "" {
		dst = append(append(dst, " label="...), printable(e.Label)...)
	}
	if e.Known&parsers.FieldEVMDigest != 0 {
		dst = hex.AppendEncode(append(dst, " evm="...), e.EVMDigest)
	}
	if e.Known&parsers.FieldSignature != 0 {
		dst = hex.AppendEncode(append(dst, " signature="...), e.Signature)
	}
	for _, flag := range flagNames {
		if e.Flags&flag.flag != 0 {
			dst = append(append(dst, ' '), flag.name...)
		}
	}
	return dst
}

var flagNames = []struct {
	flag parsers.Flags
	name string
}{{parsers.FlagConfig, "config"}, {parsers.FlagGhost, "ghost"}, {parsers.FlagViolation, "violation"}}

// printable quotes a value that would not be one word of printable text.
func printable(value string) string {
	for _, r := range value {
		if r <= ' ' || r == '"' || r == '\\' || r == utf8.RuneError || !strconv.IsPrint(r) {
			return strconv.Quote(value)
		}
	}
	return value
}
