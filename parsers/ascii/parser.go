package ascii

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"

	"digestlists/compact"
	"digestlists/parsers"
)

// Parser reads checksum files. It implements parsers.Streamer; the list format is
// called ascii.
//
// If Forced is set, all digests are taken to be of the algorithm Force, and a
// line that says otherwise is an error.
type Parser struct {
	Force  compact.Algorithm
	Forced bool
}

var _ parsers.Streamer = Parser{}

// maxLine is the longest line in bytes, with its newline: a name of a file has at most
// 4096 bytes, PATH_MAX of Linux, and twice as many with escapes.
const maxLine = 64 << 10

// Parse yields an entry for each line, with the path as it is written there.
// Errors name the line.
func (p Parser) Parse(list []byte, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	if err := p.Check(bytes.NewReader(list), opts); err != nil {
		return parsers.Fail[parsers.Entry](err)
	}
	return p.Stream(bytes.NewReader(list), opts)
}

// Check implements [parsers.Streamer].
func (p Parser) Check(list io.Reader, opts parsers.Options) error {
	return p.walk(list, opts, func(*parsers.Entry, error) bool { return true })
}

// Stream implements [parsers.Streamer].
func (p Parser) Stream(list io.Reader, opts parsers.Options) iter.Seq2[*parsers.Entry, error] {
	return func(yield func(*parsers.Entry, error) bool) {
		if err := p.walk(list, opts, yield); err != nil {
			yield(nil, err)
		}
	}
}

// walk yields the entries of the list until it is told to stop.
func (p Parser) walk(list io.Reader, opts parsers.Options, yield func(*parsers.Entry, error) bool) error {
	lines := bufio.NewReaderSize(list, maxLine)
	entry := parsers.Entry{Type: opts.Type}
	buf := make([]byte, compact.MaxDigestSize)
	var first compact.Algorithm
	for number := 1; ; number++ {
		text, err := lines.ReadSlice('\n')
		if err == io.EOF && len(text) == 0 {
			if number == 1 {
				return fmt.Errorf("%w: an empty file, want checksums", compact.ErrTruncated)
			}
			return nil
		}
		l, err := p.line(text, err)
		if number == 1 {
			first = l.algorithm
		}
		if err == nil && l.algorithm != first {
			err = fmt.Errorf("%w: a %s digest in a file that began with %s", compact.ErrMalformed, l.algorithm, first)
		}
		if err == nil {
			err = l.fill(&entry, buf, opts.Want)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if !yield(&entry, nil) {
			return nil
		}
	}
}

// line takes a line apart, as bufio.Reader.ReadSlice returns it.
func (p Parser) line(text []byte, read error) (line, error) {
	text, ended := bytes.CutSuffix(text, []byte("\n"))
	switch {
	case read == bufio.ErrBufferFull:
		return line{}, fmt.Errorf("%w: %s, want at most %d bytes", compact.ErrTooLarge, quote(text), maxLine)
	case read != nil && read != io.EOF:
		return line{}, read
	}
	l, err := parseLine(text)
	if err == nil && !ended && !l.whole {
		err = fmt.Errorf("%w: the last line has no newline: the name may have been cut", compact.ErrTruncated)
	}
	if err == nil {
		err = p.choose(&l)
	}
	return l, err
}

// choose settles the algorithm of a line.
func (p Parser) choose(l *line) error {
	switch {
	case l.named && p.Forced && l.algorithm != p.Force:
		return fmt.Errorf("%w: a %s digest, want %s as asked for", compact.ErrMalformed, l.algorithm, p.Force)
	case l.named:
		return nil
	case p.Forced:
		l.algorithm = p.Force
		return nil
	}
	for _, a := range told {
		if len(l.hex) == 2*a.Size() {
			l.algorithm = a
			return nil
		}
	}
	return fmt.Errorf("%w: a digest %s of %d characters, want the length of md5, sha1 or sha2, or a tag",
		compact.ErrMalformed, quote(l.hex), len(l.hex))
}

// told are the algorithms that the length of a digest tells; no two have the same.
var told = [...]compact.Algorithm{
	compact.SHA256, compact.SHA512, compact.SHA1, compact.MD5, compact.SHA224, compact.SHA384,
}

// fill sets the entry from the line. The name is always checked, and kept if
// it is wanted.
func (l *line) fill(e *parsers.Entry, buf []byte, want parsers.Fields) error {
	var err error
	e.Algorithm = l.algorithm
	if e.Digest, err = l.digest(l.algorithm, buf); err != nil {
		return err
	}
	if bytes.Count(e.Digest, []byte{0}) == len(e.Digest) {
		return fmt.Errorf("%w: a digest of all zeros", compact.ErrMalformed)
	}
	if want&parsers.FieldPath == 0 && !l.escaped {
		return nil
	}
	path, err := l.path()
	if err == nil && want&parsers.FieldPath != 0 {
		e.Path, e.Known = path, parsers.FieldPath
	}
	return err
}
