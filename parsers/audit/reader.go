package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"digestlists/compact"
)

// maxLine bounds a line and a field of a journal, in bytes. The kernel's records have 8970
// at most, twice as much once they are in hex and enriched.
const maxLine = 1 << 20

// A Reader reads the records of one log.
type Reader struct {
	// Events, if set, is told of each record that the kernel has numbered, of whatever type: the
	// serials of a boot begin with 1, and leave none out. Records in a journal are not told of.
	Events func(stamp time.Time, serial uint64)

	br     *bufio.Reader
	next   func() (bool, error) // for the form that the log has; nil before it is known
	record Record
	line   int
	buffer []byte
	any    bool // the log has a record, of whatever type
	err    error

	journal journal
}

// NewReader returns a Reader of the log in r. It reads ahead. Which of the forms of
// the package it has is told from its first line.
func NewReader(r io.Reader) *Reader {
	return &Reader{br: bufio.NewReaderSize(r, 64<<10)}
}

// Next returns the next record, valid until the next call, and io.EOF after the last. An
// error names the line, or the offset in bytes in a journal. A log without any record, of
// these types or others, is compact.ErrMalformed, unless it is empty. After an error, Next
// returns that error again.
func (r *Reader) Next() (*Record, error) {
	for r.err == nil {
		if r.next == nil {
			r.detect()
			continue
		}
		var found bool
		found, r.err = r.next()
		if r.err == nil && found {
			return &r.record, nil
		}
	}
	if r.err == io.EOF && !r.any {
		r.err = fmt.Errorf("%w: no audit records; want audit.log, the kernel's log, or journalctl -o export", compact.ErrMalformed)
	}
	return nil, r.err
}

func (r *Reader) detect() {
	head, err := r.br.Peek(64)
	switch {
	case err != nil && err != io.EOF:
		r.err = err
	case len(head) == 0:
		r.any, r.err = true, io.EOF // a log that has just been rotated
	case isAuditLog(head):
		r.any, r.next = true, r.nextLog
	case isJournal(head):
		r.next = r.nextJournal
	default:
		r.next = r.nextKernel
	}
}

func (r *Reader) nextLog() (bool, error) {
	line, err := r.readLine()
	if err != nil {
		return false, err
	}
	if len(line) == 0 || string(line) == "----" { // between the events of ausearch --raw
		return false, nil
	}
	found, err := r.record.parseLog(line, r.Events)
	return found, r.atLine(err)
}

func (r *Reader) nextKernel() (bool, error) {
	line, err := r.readLine()
	if err != nil {
		return false, err
	}
	isRecord, found, err := r.record.parseKernel(bytes.TrimSuffix(line, []byte("\r")), r.Events) // as serial consoles have it
	r.any = r.any || isRecord
	return found, r.atLine(err)
}

func (r *Reader) atLine(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", r.line, err)
}

// readLine returns the next line without its newline. One that has none may have been cut.
func (r *Reader) readLine() ([]byte, error) {
	r.line++
	r.buffer = r.buffer[:0]
	for {
		part, err := r.br.ReadSlice('\n')
		r.buffer = append(r.buffer, part...)
		switch {
		case err == nil:
			return r.buffer[:len(r.buffer)-1], nil
		case err == io.EOF && len(r.buffer) == 0:
			return nil, io.EOF
		case err == io.EOF:
			return nil, r.atLine(fmt.Errorf("%w: the last line has no newline: it may have been cut", compact.ErrTruncated))
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, r.atLine(err)
		case len(r.buffer) > maxLine:
			return nil, r.atLine(fmt.Errorf("%w: more than %d bytes", compact.ErrTooLarge, maxLine))
		}
	}
}
