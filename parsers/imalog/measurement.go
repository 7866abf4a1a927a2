package imalog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"digestlists/compact"
)

// ErrNoFileDigest is returned for a measurement that holds no digest of a file's
// content: of a buffer, such as a key or a command line; of an fs-verity
// descriptor; or of a template that is not known.
var ErrNoFileDigest = errors.New("no digest of a file's content")

// A Measurement is one entry of a measurement list.
type Measurement struct {
	PCR uint32
	// TemplateDigest is what extended the PCR, as listed; 20 bytes of SHA-1, or the
	// size of the bank. All zeros is a violation, see Violation.
	TemplateDigest []byte
	// Template is the template's name or format string.
	Template string
	// Data is what the kernel hashes for TemplateDigest and for each PCR bank.
	// From a list as text it is rebuilt, and nil where that cannot be done.
	Data []byte
	// Fields are the parts of Data in order; nil for an unknown template.
	Fields []Field
	// Raw is the entry as it was read: the line without its newline, or the
	// binary record.
	Raw []byte

	Line   int   // of text, from 1; 0 in a binary list
	Offset int64 // of the entry, in bytes from the start of the list
}

// A Field is one part of the template data.
type Field struct {
	ID   string // the kernel's name of the field, such as "d-ng"
	Data []byte // as in a binary list; of an unknown field in text, the text
}

// Field returns the data of the first field of that name, or nil.
func (m *Measurement) Field(id string) []byte {
	for i := range m.Fields {
		if m.Fields[i].ID == id {
			return m.Fields[i].Data
		}
	}
	return nil
}

// Name returns the file's name, or of a buffer what it was measured as.
// The kernel may have replaced spaces with underscores.
func (m *Measurement) Name() string {
	return string(m.name())
}

func (m *Measurement) name() []byte {
	name := m.Field("n-ng")
	if name == nil {
		name = m.Field("n")
	}
	return cutNUL(name)
}

// Signature returns the file's security.ima, or nil if none was measured.
func (m *Measurement) Signature() []byte {
	if sig := m.Field("sig"); len(sig) > 0 {
		return sig
	}
	return nil
}

// AppendedSignature returns the PKCS#7 message in DER that was appended to the file, and the
// digest of the file without it. The message is nil if none was measured.
func (m *Measurement) AppendedSignature() (der []byte, algorithm compact.Algorithm, digest []byte, err error) {
	der = m.Field("modsig")
	if len(der) == 0 {
		return nil, 0, nil, nil
	}
	algorithm, digest, err = ngDigest(m.Field("d-modsig"))
	return der, algorithm, digest, err
}

// Violation reports whether the entry stands for a violation: a file that was
// open for writing while it was measured, or the other way round. The list holds zeros
// as its template digest where the PCR was extended with ones.
func (m *Measurement) Violation() bool {
	return allZero(m.TemplateDigest)
}

// FileDigest returns the digest of the file's content and its algorithm. It may be
// all zeros, for violations and for a boot_aggregate without a TPM.
//
// The error is ErrNoFileDigest, compact.ErrUnsupportedAlgorithm, or
// compact.ErrMalformed for a digest of the wrong size. The measurement can still be
// replayed then.
func (m *Measurement) FileDigest() (compact.Algorithm, []byte, error) {
	if len(m.Field("buf")) > 0 {
		return 0, nil, fmt.Errorf("%w: a buffer was measured", ErrNoFileDigest)
	}
	for i := range m.Fields {
		switch f := &m.Fields[i]; f.ID {
		case "d":
			return oldDigest(f.Data)
		case "d-ng":
			return ngDigest(f.Data)
		case "d-ngv2":
			rest, ok := bytes.CutPrefix(f.Data, []byte("ima:"))
			if !ok {
				return 0, nil, fmt.Errorf("%w: %s", ErrNoFileDigest, quote(cutNUL(f.Data)))
			}
			return ngDigest(rest)
		}
	}
	return 0, nil, fmt.Errorf("%w: template %s", ErrNoFileDigest, quote(m.Template))
}

// oldDigest tells the two algorithms of the field d by their size.
func oldDigest(digest []byte) (compact.Algorithm, []byte, error) {
	switch len(digest) {
	case compact.MD5.Size():
		return compact.MD5, digest, nil
	case compact.SHA1.Size():
		return compact.SHA1, digest, nil
	}
	return 0, nil, fmt.Errorf("%w: a digest of %d bytes, want 20 (sha1) or 16 (md5)", compact.ErrMalformed, len(digest))
}

// ngDigest splits "algo:", NUL, digest.
func ngDigest(field []byte) (compact.Algorithm, []byte, error) {
	name, digest, ok := bytes.Cut(field, []byte(":\x00"))
	if !ok {
		return 0, nil, fmt.Errorf("%w: digest without algorithm", compact.ErrMalformed)
	}
	algorithm, err := lookupAlgorithm(name)
	if err != nil {
		return 0, nil, err
	}
	if len(digest) != algorithm.Size() {
		return 0, nil, fmt.Errorf("%w: a %s digest of %d bytes, want %d",
			compact.ErrMalformed, algorithm, len(digest), algorithm.Size())
	}
	return algorithm, digest, nil
}

// algorithmNames spares the common names the conversion to a string.
var algorithmNames = func() map[string]compact.Algorithm {
	names := map[string]compact.Algorithm{}
	for _, a := range compact.Algorithms() {
		names[a.String()] = a
	}
	return names
}()

func lookupAlgorithm(name []byte) (compact.Algorithm, error) {
	if a, ok := algorithmNames[string(name)]; ok {
		return a, nil
	}
	return compact.ParseAlgorithm(string(name[:min(len(name), maxQuote)]))
}

// Clone returns a copy that stays valid when the Reader goes on.
func (m *Measurement) Clone() *Measurement {
	c := *m
	c.TemplateDigest = bytes.Clone(m.TemplateDigest)
	c.Data = bytes.Clone(m.Data)
	c.Raw = bytes.Clone(m.Raw)
	c.Fields = slices.Clone(m.Fields)
	for i := range c.Fields {
		c.Fields[i].Data = bytes.Clone(m.Fields[i].Data)
	}
	return &c
}

// position names the place of the measurement in its list, for errors.
func (m *Measurement) position() string {
	if m.Line > 0 {
		return fmt.Sprintf("line %d", m.Line)
	}
	return fmt.Sprintf("offset %d", m.Offset)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func cutNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// maxQuote is how many bytes of the input an error shows.
const maxQuote = 64

func quote[T string | []byte](text T) string {
	if len(text) > maxQuote {
		return fmt.Sprintf("%q...", text[:maxQuote])
	}
	return fmt.Sprintf("%q", text)
}
