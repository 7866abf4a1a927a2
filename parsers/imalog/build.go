package imalog

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"

	"digestlists/compact"
)

// NewMeasurement returns what the kernel would list for a template, by its name, with the
// data of its fields; see DigestField and NameField. The template digest is SHA-1.
func NewMeasurement(pcr uint32, templateName string, fields ...[]byte) (*Measurement, error) {
	t := parseTemplate(templateName)
	if t.ids == nil || t.name == oldTemplate || len(t.ids) != len(fields) {
		return nil, fmt.Errorf("template %q: not one that can be made of %d fields", templateName, len(fields))
	}
	m := &Measurement{PCR: pcr, Template: templateName}
	for i, data := range fields {
		m.Data = binary.LittleEndian.AppendUint32(m.Data, uint32(len(data)))
		m.Data = append(m.Data, data...)
		m.Fields = append(m.Fields, Field{ID: t.ids[i], Data: data})
	}
	digest := sha1.Sum(m.Data)
	m.TemplateDigest = digest[:]
	return m, nil
}

// DigestField is the data of a field d-ng: algorithm, a colon, NUL, digest.
func DigestField(a compact.Algorithm, digest []byte) []byte {
	return append([]byte(a.String()+":\x00"), digest...)
}

// NameField is the data of a field n-ng: the name up to a NUL in it, and a NUL.
func NameField(name string) []byte {
	name, _, _ = strings.Cut(name, "\x00")
	return append([]byte(name), 0)
}

// AppendBinary appends the measurement as in a binary list: u32 PCR, template digest, u32
// length, template, u32 length, template data; little-endian. It is not for the template
// "ima", which has another layout.
func (m *Measurement) AppendBinary(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, m.PCR)
	dst = append(dst, m.TemplateDigest...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.Template)))
	dst = append(dst, m.Template...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.Data)))
	return append(dst, m.Data...)
}
