package imalog

import "strings"

// kind is how the kernel shows a template field as text and what it stores.
type kind uint8

const (
	kindUnknown kind = iota
	kindHex          // bytes, in hex
	kindDigest       // "algo:" or "type:algo:", NUL, digest; in text "algo:" and hex
	kindName         // text that may hold spaces, NUL-terminated
	kindText         // text without spaces, NUL-terminated
	kindUint16       // little-endian; decimal in text
	kindUint32       // little-endian; decimal in text
)

var fieldKinds = map[string]kind{
	"d":            kindHex,
	"n":            kindName,
	"d-ng":         kindDigest,
	"d-ngv2":       kindDigest,
	"n-ng":         kindName,
	"sig":          kindHex,
	"buf":          kindHex,
	"d-modsig":     kindDigest,
	"modsig":       kindHex,
	"evmsig":       kindHex,
	"xattrnames":   kindText,
	"xattrlengths": kindHex,
	"xattrvalues":  kindHex,
	"iuid":         kindUint32,
	"igid":         kindUint32,
	"imode":        kindUint16,
}

// oldTemplate is the first template, which has a layout of its own.
const oldTemplate = "ima"

// formats maps the kernel's template names to their fields.
var formats = map[string]string{
	oldTemplate:  "d|n",
	"ima-ng":     "d-ng|n-ng",
	"ima-sig":    "d-ng|n-ng|sig",
	"ima-ngv2":   "d-ngv2|n-ng",
	"ima-sigv2":  "d-ngv2|n-ng|sig",
	"ima-buf":    "d-ng|n-ng|buf",
	"ima-modsig": "d-ng|n-ng|sig|d-modsig|modsig",
	"evm-sig":    "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode",
}

// template is a template's name with what is known of its fields.
type template struct {
	name  string
	ids   []string // nil for an unknown template
	kinds []kind   // of each id
	name1 int      // index of the first kindName field; len(ids) if there is none
}

// parseTemplate finds the fields of a template, which is one of the kernel's names
// or a format string.
func parseTemplate(name string) template {
	t := template{name: name}
	format, ok := formats[name]
	if !ok {
		if fieldKinds[name] == kindUnknown && !strings.Contains(name, "|") {
			return t
		}
		format = name
	}
	t.ids = strings.Split(format, "|")
	t.kinds = make([]kind, len(t.ids))
	t.name1 = len(t.ids)
	for i, id := range t.ids {
		t.kinds[i] = fieldKinds[id]
		if t.kinds[i] == kindName && t.name1 == len(t.ids) {
			t.name1 = i
		}
	}
	return t
}

// hashable reports whether the template data can be rebuilt from text.
func (t *template) hashable() bool {
	for _, k := range t.kinds {
		if k == kindUnknown {
			return false
		}
	}
	return t.ids != nil
}
