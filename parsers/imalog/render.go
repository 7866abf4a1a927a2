package imalog

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
)

// AppendText appends the measurement as the line of text that the kernel would
// show, without a newline. Control characters in names become underscores: a
// newline would otherwise start another entry. ok is false for templates and fields that
// are not known, and for templates with several names, whose text is ambiguous.
func (m *Measurement) AppendText(dst []byte) (line []byte, ok bool) {
	if m.Fields == nil || m.names() > 1 {
		return dst, false
	}
	line = fmt.Appendf(dst, "%2d %x %s", m.PCR, m.TemplateDigest, m.Template)
	for i := range m.Fields {
		line = append(line, ' ')
		if line, ok = m.Fields[i].appendText(line); !ok {
			return dst, false
		}
	}
	return line, true
}

// names counts the fields that may hold spaces.
func (m *Measurement) names() (n int) {
	for i := range m.Fields {
		if fieldKinds[m.Fields[i].ID] == kindName {
			n++
		}
	}
	return n
}

func (f *Field) appendText(dst []byte) ([]byte, bool) {
	if len(f.Data) == 0 {
		return dst, fieldKinds[f.ID] != kindUnknown
	}
	switch fieldKinds[f.ID] {
	case kindHex:
		return hex.AppendEncode(dst, f.Data), true
	case kindDigest:
		return appendDigestText(dst, f.Data)
	case kindName:
		return appendPrintable(dst, cutNUL(f.Data), false), true
	case kindText:
		return appendPrintable(dst, cutNUL(f.Data), true), true
	case kindUint16:
		if len(f.Data) == 2 {
			return strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint16(f.Data)), 10), true
		}
	case kindUint32:
		if len(f.Data) == 4 {
			return strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(f.Data)), 10), true
		}
	}
	return dst, false
}

// appendDigestText turns "algo:", NUL, digest into "algo:hex".
func appendDigestText(dst, data []byte) ([]byte, bool) {
	name := cutNUL(data)
	if len(name) < 2 || len(name) == len(data) || name[len(name)-1] != ':' || !printable(name) {
		return dst, false
	}
	return hex.AppendEncode(append(dst, name...), data[len(name)+1:]), true
}

func appendPrintable(dst, text []byte, noSpaces bool) []byte {
	for _, c := range text {
		if c < ' ' || c == 0x7f || c == ' ' && noSpaces {
			c = '_'
		}
		dst = append(dst, c)
	}
	return dst
}
