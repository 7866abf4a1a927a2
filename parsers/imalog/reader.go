package imalog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"digestlists/compact"
)

// What a kernel may reasonably list. The sizes only bound what is read before an
// entry is refused: memory grows with the input, not with a declared size.
const (
	maxPCR      = 23       // a TPM of a PC has 24
	maxTemplate = 255      // bytes of a template's name
	maxData     = 16 << 20 // bytes of template data; xattr values and buffers are far smaller
	maxLine     = 2*maxData + 4096
	maxOldName  = 255 // bytes of a name in the template "ima"
	oldNameSize = maxOldName + 1
)

// A Reader reads a measurement list, as text or binary, entry by entry.
type Reader struct {
	br      *bufio.Reader
	decoder decoder
	started bool
	binary  bool
	offset  int64
	line    int
	entry   int // of a binary list, from 1
	err     error
}

// decoder holds the entry that was read last and the memory it uses.
type decoder struct {
	m        Measurement
	template template
	digest   []byte
	raw      []byte
	data     []byte
}

// NewReader returns a Reader of the list in r. It reads ahead. Whether the list
// is text or binary, and the size of the template digests of a binary list, are told
// from its first entry.
func NewReader(r io.Reader) *Reader {
	return &Reader{br: bufio.NewReaderSize(r, 64<<10)}
}

// Next returns the next measurement, valid until the next call, and io.EOF
// after the last. An error names the line or the offset in bytes and the field; a
// list that ends inside an entry is compact.ErrTruncated. After an error, Next
// returns that error again.
//
// A last line without a newline may have been cut anywhere in its name. It is taken
// only if its template digest proves that it is whole.
func (r *Reader) Next() (*Measurement, error) {
	if r.err != nil {
		return nil, r.err
	}
	if !r.started {
		r.started = true
		r.detect()
	}
	if r.binary {
		r.err = r.nextRecord()
	} else {
		r.err = r.nextLine()
	}
	if r.err != nil {
		return nil, r.err
	}
	return &r.decoder.m, nil
}

// detect looks at the first entry. A binary one starts with a PCR number as a u32,
// so that three of its first four bytes are zero; text has none of those.
func (r *Reader) detect() {
	head, _ := r.br.Peek(4 + compact.MaxDigestSize + 4 + maxTemplate)
	if len(head) < 4 || head[1] != 0 || head[2] != 0 || head[3] != 0 {
		return
	}
	r.binary = true
	r.decoder.digest = make([]byte, detectDigestSize(head))
}

// templateDigestSizes are the sizes of SHA-1, SHA-256 (and SM3), SHA-384 and SHA-512.
// SHA-1 comes first: it is what all kernels list.
var templateDigestSizes = [...]int{20, 32, 48, 64}

// detectDigestSize finds the size with which a template's name follows the digest.
func detectDigestSize(head []byte) int {
	for _, size := range templateDigestSizes {
		if plausibleName(head[min(4+size, len(head)):]) {
			return size
		}
	}
	return templateDigestSizes[0]
}

// plausibleName reports whether b starts with a length and a printable name of it.
func plausibleName(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	n := binary.LittleEndian.Uint32(b)
	return n > 0 && n <= maxTemplate && int(n) <= len(b)-4 && printable(b[4:4+n])
}

func printable(name []byte) bool {
	return bytes.IndexFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}

// nextLine reads and decodes a line of text.
func (r *Reader) nextLine() error {
	r.line++
	start := r.offset
	line, err := r.readLine()
	whole := err == nil
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	if err == io.EOF {
		return err
	}
	if err == nil {
		err = r.decoder.parseLine(line)
	}
	if err == nil && !whole && !r.decoder.m.proven() {
		err = errCut
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", r.line, err)
	}
	r.decoder.m.Line, r.decoder.m.Offset = r.line, start
	return nil
}

// readLine returns the next line without its newline; with io.EOF if it had none.
func (r *Reader) readLine() ([]byte, error) {
	d := &r.decoder
	d.raw = d.raw[:0]
	for {
		part, err := r.br.ReadSlice('\n')
		r.offset += int64(len(part))
		d.raw = append(d.raw, part...)
		switch {
		case err == nil:
			return d.raw[:len(d.raw)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return d.raw, err
		case len(d.raw) > maxLine:
			return nil, fmt.Errorf("%w: a line of more than %d bytes", compact.ErrTooLarge, maxLine)
		}
	}
}
