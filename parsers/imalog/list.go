package imalog

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"digestlists/compact"
	"digestlists/parsers"
)

// Format is the name of the list format.
const Format = "ima+ima_ng"

// Parser reads lists of the format ima+ima_ng. It implements parsers.Parser.
//
// Digests of all zeros are left out unless Options.KeepZero is set, digests of buffers and
// of fs-verity descriptors always: they are not digests of files. A template that is
// not known is an error, so that no file is lost silently.
//
// Errors name the line. A last line without a newline is taken under the
// condition of Reader.Next. An empty line is an error, other than the first.
type Parser struct{}

var _ parsers.Parser = Parser{}

// Parse yields an entry for each measurement.
func (Parser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		check := opts
		check.Want = 0
		if err := walk(list, check, func(*parsers.Entry) bool { return true }); err != nil {
			yield(nil, err)
			return
		}
		// The same bytes cannot fail the second time.
		_ = walk(list, opts, func(e *parsers.Entry) bool { return yield(e, nil) })
	}
}

// walk calls fn for the entries of the list until it returns false.
func walk(list []byte, opts parsers.Options, fn func(*parsers.Entry) bool) error {
	modifiers, rest, err := cutModifiers(list)
	if err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	var d decoder
	entry := parsers.Entry{Type: opts.Type, Modifiers: modifiers}
	for number := 2; len(rest) > 0; number++ {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		rest = after
		ok, err := d.parseEntry(line, whole, opts, &entry)
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if ok && !fn(&entry) {
			return nil
		}
	}
	return nil
}

// cutModifiers splits off the first line.
func cutModifiers(list []byte) (compact.Modifiers, []byte, error) {
	if len(list) == 0 {
		return 0, nil, fmt.Errorf("%w: an empty file, want a line of modifiers", compact.ErrTruncated)
	}
	line, rest, _ := bytes.Cut(list, []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return 0, nil, fmt.Errorf("%w: a carriage return at the end of the line, want a newline only", compact.ErrMalformed)
	}
	if startsMeasurement(line) {
		return 0, nil, fmt.Errorf("%w: a measurement, want the modifiers (an empty line for none)", compact.ErrMalformed)
	}
	if len(line) > maxQuote {
		return 0, nil, fmt.Errorf("%w: %s, want the modifiers (an empty line for none)", compact.ErrMalformed, quote(line))
	}
	modifiers, err := compact.ParseModifiers(string(line))
	return modifiers, rest, err
}

// startsMeasurement reports whether the line begins with the number of a PCR.
func startsMeasurement(line []byte) bool {
	pcr, _, ok := bytes.Cut(bytes.TrimPrefix(line, []byte(" ")), []byte(" "))
	_, isNumber := parseUint(pcr, 1<<32)
	return ok && isNumber
}

// parseEntry turns a line into an entry. It returns false for lines that hold no
// digest to use.
func (d *decoder) parseEntry(line []byte, whole bool, opts parsers.Options, e *parsers.Entry) (bool, error) {
	if err := d.parseLine(line); err != nil {
		return false, err
	}
	if !whole && !d.m.proven() {
		return false, errCut
	}
	return d.m.fill(opts, e)
}

// errCut is for a last line that may have lost a part.
var errCut = fmt.Errorf("%w: the last line has no newline, and its template digest does not prove that it is whole", compact.ErrTruncated)

// portableSignature is the type of an EVM signature, which the kernel lists in the
// field sig where a file has it but no signature in security.ima.
const portableSignature = 5

// fill sets e from the measurement.
func (m *Measurement) fill(opts parsers.Options, e *parsers.Entry) (bool, error) {
	algorithm, digest, err := m.FileDigest()
	if errors.Is(err, ErrNoFileDigest) && m.Fields != nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	e.Algorithm, e.Digest = algorithm, digest
	e.Flags, e.Known = 0, 0
	if allZero(digest) {
		if !opts.KeepZero {
			return false, nil
		}
		e.Flags = parsers.FlagViolation
	}
	if opts.Want&parsers.FieldPath != 0 {
		e.Path, e.Known = m.Name(), parsers.FieldPath
	}
	if opts.Want&parsers.FieldSignature != 0 {
		e.Signature = nil
		if sig := m.Signature(); sig != nil && sig[0] != portableSignature {
			e.Signature = sig
			e.Known |= parsers.FieldSignature
		}
	}
	return true, nil
}
