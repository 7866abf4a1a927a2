package imalog

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"digestlists/compact"
)

// parseLine decodes a line of text without its newline into d.m, except for its place.
func (d *decoder) parseLine(line []byte) error {
	m := &d.m
	m.Raw, m.Data, m.Fields = line, nil, m.Fields[:0]
	if err := checkLine(line); err != nil {
		return err
	}
	// The kernel pads the PCR to two columns.
	pcr, rest, ok := bytes.Cut(bytes.TrimPrefix(line, []byte(" ")), []byte(" "))
	if !ok {
		return fmt.Errorf("%w: %s, want a PCR, a template digest, a template and its fields", compact.ErrMalformed, quote(line))
	}
	if err := d.parsePCR(pcr); err != nil {
		return err
	}
	digest, rest, _ := bytes.Cut(rest, []byte(" "))
	if err := d.parseTemplateDigest(digest); err != nil {
		return err
	}
	name, rest, hasFields := bytes.Cut(rest, []byte(" "))
	if len(name) == 0 || len(name) > maxTemplate || !printable(name) {
		return fmt.Errorf("%w: template %s, want a name", compact.ErrMalformed, quote(name))
	}
	d.setTemplate(name)
	if d.template.ids == nil {
		m.Fields = nil
		return nil
	}
	if !hasFields {
		return missing(d.template.ids[0])
	}
	return d.parseFields(rest)
}

func checkLine(line []byte) error {
	if len(line) == 0 {
		return fmt.Errorf("%w: an empty line, want a measurement", compact.ErrMalformed)
	}
	if line[len(line)-1] == '\r' {
		return fmt.Errorf("%w: a carriage return at the end of the line, want a newline only", compact.ErrMalformed)
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return fmt.Errorf("%w: a NUL byte in the line", compact.ErrMalformed)
	}
	return nil
}

func missing(id string) error {
	return fmt.Errorf("%w: the line ends before field %s", compact.ErrTruncated, id)
}

func (d *decoder) parsePCR(text []byte) error {
	pcr, ok := parseUint(text, maxPCR)
	if !ok {
		return fmt.Errorf("%w: pcr %s, want a number up to %d", compact.ErrMalformed, quote(text), maxPCR)
	}
	d.m.PCR = uint32(pcr)
	return nil
}

// parseUint reads plain decimal digits, without the signs and underscores that
// strconv may take.
func parseUint(text []byte, limit uint64) (n uint64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + uint64(c-'0'); n > limit {
			return 0, false
		}
	}
	return n, len(text) > 0
}

func (d *decoder) parseTemplateDigest(text []byte) error {
	var err error
	d.digest, err = appendHex(d.digest[:0], text)
	if err != nil {
		return fmt.Errorf("template digest: %w", err)
	}
	for _, size := range templateDigestSizes {
		if len(d.digest) == size {
			d.m.TemplateDigest = d.digest
			return nil
		}
	}
	return fmt.Errorf("%w: template digest %s of %d bytes, want %d for SHA-1",
		compact.ErrMalformed, quote(text), len(d.digest), compact.SHA1.Size())
}

func appendHex(dst, text []byte) ([]byte, error) {
	dst, err := hex.AppendDecode(dst, text)
	if err != nil {
		return dst, fmt.Errorf("%w: %s, want hex digits in pairs", compact.ErrMalformed, quote(text))
	}
	return dst, nil
}

// parseFields splits the text of the fields and rebuilds the template data.
//
// A name may hold spaces and no other field does: the fields before it are
// found from the left, those after it from the right.
func (d *decoder) parseFields(text []byte) error {
	t, m := &d.template, &d.m
	for range t.ids {
		m.Fields = append(m.Fields, Field{})
	}
	left, right := 0, len(t.ids)-1
	for ; left < t.name1 && left < right; left++ {
		field, rest, ok := bytes.Cut(text, []byte(" "))
		if !ok {
			return missing(t.ids[left+1])
		}
		m.Fields[left], text = Field{t.ids[left], field}, rest
	}
	for ; right > left; right-- {
		at := bytes.LastIndexByte(text, ' ')
		if at < 0 {
			return missing(t.ids[right])
		}
		m.Fields[right], text = Field{t.ids[right], text[at+1:]}, text[:at]
	}
	if t.kinds[left] != kindName && bytes.IndexByte(text, ' ') >= 0 {
		return fmt.Errorf("%w: %s after the last field", compact.ErrMalformed, quote(text[bytes.IndexByte(text, ' '):]))
	}
	m.Fields[left] = Field{t.ids[left], text}
	return d.rebuild()
}

// rebuild turns the texts in d.m.Fields into the template data.
func (d *decoder) rebuild() error {
	if d.template.name == oldTemplate {
		return d.rebuildOld()
	}
	fields := d.m.Fields
	d.data = d.data[:0]
	for i, k := range d.template.kinds {
		if k == kindUnknown {
			continue
		}
		at := len(d.data)
		d.data = append(d.data, 0, 0, 0, 0)
		var err error
		d.data, err = appendField(d.data, k, fields[i].Data)
		if err != nil {
			return fmt.Errorf("field %s: %w", fields[i].ID, err)
		}
		binary.LittleEndian.PutUint32(d.data[at:], uint32(len(d.data)-at-4))
	}
	// Only now does the buffer stay where it is.
	at := 0
	for i, k := range d.template.kinds {
		if k == kindUnknown {
			continue
		}
		size := int(binary.LittleEndian.Uint32(d.data[at:]))
		at += 4
		fields[i].Data = d.data[at : at+size : at+size]
		at += size
	}
	if d.template.hashable() {
		d.m.Data = d.data
	}
	return nil
}

// rebuildOld does so for the template "ima", whose digest is always 20 bytes.
func (d *decoder) rebuildOld() error {
	var err error
	d.data, err = appendHex(d.data[:0], d.m.Fields[0].Data)
	if err != nil {
		return fmt.Errorf("field d: %w", err)
	}
	if len(d.data) != compact.SHA1.Size() {
		return fmt.Errorf("field d: %w: a digest of %d bytes, want %d", compact.ErrMalformed, len(d.data), compact.SHA1.Size())
	}
	name := d.m.Fields[1].Data
	if len(name) > maxOldName {
		return fmt.Errorf("field n: %w: a name of %d bytes, want at most %d", compact.ErrTooLarge, len(name), maxOldName)
	}
	d.setOldData(name)
	return nil
}

// appendField appends the data of a field that is shown as text. What is empty
// in the text is empty in the data.
func appendField(dst []byte, k kind, text []byte) ([]byte, error) {
	if len(text) == 0 {
		return dst, nil
	}
	switch k {
	case kindHex:
		return appendHex(dst, text)
	case kindDigest:
		return appendDigest(dst, text)
	case kindName, kindText:
		return append(append(dst, text...), 0), nil
	case kindUint16:
		n, err := parseField(text, 1<<16-1)
		return binary.LittleEndian.AppendUint16(dst, uint16(n)), err
	default:
		n, err := parseField(text, 1<<32-1)
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), err
	}
}

func parseField(text []byte, limit uint64) (uint64, error) {
	n, ok := parseUint(text, limit)
	if !ok {
		return 0, fmt.Errorf("%w: %s, want a number up to %s", compact.ErrMalformed, quote(text), strconv.FormatUint(limit, 10))
	}
	return n, nil
}

// appendDigest turns "algo:hex" into "algo:", NUL, digest.
func appendDigest(dst, text []byte) ([]byte, error) {
	colon := bytes.LastIndexByte(text, ':')
	if colon < 1 {
		return dst, fmt.Errorf("%w: %s, want algorithm:digest", compact.ErrMalformed, quote(text))
	}
	dst = append(append(dst, text[:colon+1]...), 0)
	return appendHex(dst, text[colon+1:])
}

// proven reports whether the template digest matches the template data. Lists
// of other banks than these four are not written as text.
func (m *Measurement) proven() bool {
	switch len(m.TemplateDigest) {
	case sha1.Size:
		sum := sha1.Sum(m.Data)
		return bytes.Equal(sum[:], m.TemplateDigest)
	case sha256.Size:
		sum := sha256.Sum256(m.Data)
		return bytes.Equal(sum[:], m.TemplateDigest)
	case sha512.Size384:
		sum := sha512.Sum384(m.Data)
		return bytes.Equal(sum[:], m.TemplateDigest)
	default:
		sum := sha512.Sum512(m.Data)
		return bytes.Equal(sum[:], m.TemplateDigest)
	}
}
