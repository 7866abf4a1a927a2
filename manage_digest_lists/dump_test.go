package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"digestlists/compact"
	"digestlists/internal/listdir"
	"digestlists/parsers"
)

// A record is what encoding/json makes of an entry.
type record struct {
	List       string  `json:"list"`
	Type       string  `json:"type"`
	Algorithm  string  `json:"algorithm"`
	Digest     string  `json:"digest"`
	Modifiers  string  `json:"modifiers,omitempty"`
	Path       *string `json:"path,omitempty"`
	Mode       string  `json:"mode,omitempty"`
	Size       *int64  `json:"size,omitempty"`
	User       *string `json:"user,omitempty"`
	Group      *string `json:"group,omitempty"`
	UID        *uint32 `json:"uid,omitempty"`
	GID        *uint32 `json:"gid,omitempty"`
	Caps       *string `json:"capabilities,omitempty"`
	Label      *string `json:"label,omitempty"`
	EVMDigest  string  `json:"evm_digest,omitempty"`
	Signature  string  `json:"signature,omitempty"`
	Config     bool    `json:"config,omitempty"`
	Ghost      bool    `json:"ghost,omitempty"`
	Violations bool    `json:"violation,omitempty"`
}

func newRecord(list string, e *parsers.Entry) *record {
	r := &record{
		List: list, Type: e.Type.String(), Algorithm: e.Algorithm.String(), Digest: hex.EncodeToString(e.Digest),
		Modifiers: e.Modifiers.String(), EVMDigest: hex.EncodeToString(e.EVMDigest), Signature: hex.EncodeToString(e.Signature),
		Config: e.Flags&parsers.FlagConfig != 0, Ghost: e.Flags&parsers.FlagGhost != 0, Violations: e.Flags&parsers.FlagViolation != 0,
	}
	has := func(f parsers.Fields) bool { return e.Known&f != 0 }
	if has(parsers.FieldPath) {
		r.Path = &e.Path
	}
	if has(parsers.FieldMode) {
		r.Mode = fmt.Sprintf("0%o", e.Mode)
	}
	if has(parsers.FieldSize) {
		r.Size = &e.Size
	}
	if has(parsers.FieldNames) {
		r.User, r.Group = &e.User, &e.Group
	}
	if has(parsers.FieldIDs) {
		r.UID, r.GID = &e.UID, &e.GID
	}
	if has(parsers.FieldCaps) {
		r.Caps = &e.Caps
	}
	if has(parsers.FieldLabel) {
		r.Label = &e.Label
	}
	return r
}

// Every line is what encoding/json would write, whatever is known and however odd the names.
func FuzzJSON(f *testing.F) {
	f.Add("0-file_list-compact-x", "/usr/bin/tool", "root", uint16(0o100755), int64(4), uint16(everything), uint16(7), uint16(1))
	f.Add("0-file_list-a-\u2028", "/tmp/<\x00\xff\"\\&>\n\t\u00e9", "\u202e", uint16(0), int64(-1), uint16(1), uint16(0), uint16(0x8001))
	f.Fuzz(func(t *testing.T, list, path, name string, mode uint16, size int64, known, flags, modifiers uint16) {
		e := &parsers.Entry{
			Path: path, Digest: []byte{0, 0x7f, 0xff}, Algorithm: compact.SHA512, Type: compact.TypeMetadata,
			Modifiers: compact.Modifiers(modifiers), Mode: mode, Size: size, User: name, Group: path, UID: uint32(size), GID: 7,
			Caps: name, Label: name, Known: parsers.Fields(known) & everything, Flags: parsers.Flags(flags & 7),
		}
		if e.Known&parsers.FieldEVMDigest != 0 {
			e.EVMDigest = []byte{1}
		}
		if e.Known&parsers.FieldSignature != 0 {
			e.Signature = []byte{3, 2}
		}
		want, err := json.Marshal(newRecord(list, e))
		if err != nil {
			t.Fatal(err)
		}
		got := jsonForm.entry(nil, listdir.List{File: list}, e)
		if !bytes.Equal(got, append(want, '\n')) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}
