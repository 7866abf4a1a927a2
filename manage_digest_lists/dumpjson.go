package main

import (
	"encoding/hex"
	"encoding/json"
	"strconv"

	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// jsonForm prints an object a line. Lists may have millions of records: encoding/json
// would take several times as long.
var jsonForm = form{
	list: func(dst []byte, _ listdir.List) []byte { return dst },
	entry: func(dst []byte, list listdir.List, e *parsers.Entry) []byte {
		return append(appendJSON(dst, list.File, e), '}', '\n')
	},
	key: func(dst []byte, list listdir.List, key *imasig.Key) []byte {
		dst = appendString(append(dst, `{"list":`...), list.File)
		dst = append(dst, `,"type":"key","key_id":"`...)
		return append(append(dst, key.ID.String()...), "\"}\n"...)
	},
}

// appendJSON leaves the object open.
func appendJSON(dst []byte, list string, e *parsers.Entry) []byte {
	dst = appendString(append(dst, `{"list":`...), list)
	dst = append(append(append(dst, `,"type":"`...), e.Type.String()...), '"')
	dst = append(append(append(dst, `,"algorithm":"`...), e.Algorithm.String()...), '"')
	dst = appendHex(append(dst, `,"digest":`...), e.Digest)
	if e.Modifiers != 0 {
		dst = append(append(append(dst, `,"modifiers":"`...), e.Modifiers.String()...), '"')
	}
	if e.Known&parsers.FieldPath != 0 {
		dst = appendString(append(dst, `,"path":`...), e.Path)
	}
	if e.Known&parsers.FieldMode != 0 {
		dst = append(strconv.AppendUint(append(dst, `,"mode":"0`...), uint64(e.Mode), 8), '"')
	}
	if e.Known&parsers.FieldSize != 0 {
		dst = strconv.AppendInt(append(dst, `,"size":`...), e.Size, 10)
	}
	if e.Known&parsers.FieldNames != 0 {
		dst = appendString(append(dst, `,"user":`...), e.User)
		dst = appendString(append(dst, `,"group":`...), e.Group)
	}
	if e.Known&parsers.FieldIDs != 0 {
		dst = strconv.AppendUint(append(dst, `,"uid":`...), uint64(e.UID), 10)
		dst = strconv.AppendUint(append(dst, `,"gid":`...), uint64(e.GID), 10)
	}
	if e.Known&parsers.FieldCaps != 0 {
		dst = appendString(append(dst, `,"capabilities":`...), e.Caps)
	}
	if e.Known&parsers.FieldLabel != 0 {
		dst = appendString(append(dst, `,"label":`...), e.Label)
	}
	if e.Known&parsers.FieldEVMDigest != 0 {
		dst = appendHex(append(dst, `,"evm_digest":`...), e.EVMDigest)
	}
	if e.Known&parsers.FieldSignature != 0 {
		dst = appendHex(append(dst, `,"signature":`...), e.Signature)
	}
	for _, flag := range flagNames {
		if e.Flags&flag.flag != 0 {
			dst = append(append(append(dst, `,"`...), flag.name...), `":true`...)
		}
	}
	return dst
}

func appendHex(dst, value []byte) []byte {
	return append(hex.AppendEncode(append(dst, '"'), value), '"')
}

// appendString appends a string as encoding/json writes it.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // of a string, which cannot fail
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}
