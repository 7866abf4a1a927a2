package audit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"digestlists/compact"
)

// journal is the entry of a journal that is being read.
type journal struct {
	offset int64
	fields map[string][]byte // those that are needed
}

// needed are the fields that tell of records. Those that begin with an underscore
// journald sets itself, so that no program can claim to be the kernel.
var needed = map[string]bool{
	"_TRANSPORT": true, "_AUDIT_TYPE": true, "_AUDIT_ID": true, "MESSAGE": true,
	"_SOURCE_REALTIME_TIMESTAMP": true, "__REALTIME_TIMESTAMP": true,
}

// isJournal reports whether the log begins as journals do: with a name in capitals, and
// its value in the same line or after it.
func isJournal(head []byte) bool {
	for i, c := range head {
		switch {
		case c == '=' || c == '\n':
			return i > 0
		case c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9'):
			return false
		}
	}
	return false
}

// nextJournal reads an entry, which ends at an empty line or at the end.
func (r *Reader) nextJournal() (bool, error) {
	j := &r.journal
	j.fields = make(map[string][]byte)
	start := j.offset
	for {
		ended, err := r.journalField()
		if err == io.EOF && j.offset == start {
			return false, io.EOF
		}
		if err != nil && err != io.EOF {
			return false, fmt.Errorf("offset %d: %w", j.offset, err)
		}
		if ended || err == io.EOF {
			found, err := r.journalRecord()
			if err != nil {
				err = fmt.Errorf("entry at offset %d: %w", start, err)
			}
			return found, err
		}
	}
}

// journalField reads `NAME=value`, or a name, its size as a little-endian u64, and that many
// bytes. It reports the empty line after the last field.
func (r *Reader) journalField() (ended bool, err error) {
	line, err := r.journalLine()
	if err != nil {
		return false, err
	}
	if len(line) == 0 {
		return true, nil
	}
	name, value, inLine := bytes.Cut(line, []byte("="))
	if !isJournal(append(bytes.Clone(name), '=')) {
		return false, fmt.Errorf("%w: %.64q, want a field", compact.ErrMalformed, line)
	}
	key := string(name)
	if !inLine {
		value, err = r.journalData(needed[key])
		if err != nil {
			return false, err
		}
	}
	if needed[key] {
		r.journal.fields[key] = bytes.Clone(value)
	}
	return false, nil
}

// journalLine returns a line without its newline, and io.EOF where there is none. Only the
// beginning of one that is too long to matter is returned.
func (r *Reader) journalLine() ([]byte, error) {
	r.buffer = r.buffer[:0]
	for {
		part, err := r.br.ReadSlice('\n')
		r.journal.offset += int64(len(part))
		if len(r.buffer) <= maxLine {
			r.buffer = append(r.buffer, part...)
		}
		switch {
		case err == nil:
			return bytes.TrimSuffix(r.buffer, []byte("\n")), nil
		case err == io.EOF && len(r.buffer) > 0:
			return nil, fmt.Errorf("%w: a field without its newline", compact.ErrTruncated)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// journalData reads the size and the bytes of a field, and the newline after them.
func (r *Reader) journalData(keep bool) ([]byte, error) {
	var head [8]byte
	n, err := io.ReadFull(r.br, head[:])
	r.journal.offset += int64(n)
	if err != nil {
		return nil, truncated(err)
	}
	size := binary.LittleEndian.Uint64(head[:])
	if size >= 1<<62 || keep && size > maxLine {
		return nil, fmt.Errorf("%w: a field of %d bytes", compact.ErrTooLarge, size)
	}
	var data bytes.Buffer
	into := io.Writer(io.Discard)
	if keep {
		into = &data
	}
	copied, err := io.CopyN(into, r.br, int64(size))
	r.journal.offset += copied
	if err != nil {
		return nil, truncated(err)
	}
	end, err := r.br.ReadByte()
	if err != nil {
		return nil, truncated(err)
	}
	r.journal.offset++
	if end != '\n' {
		return nil, fmt.Errorf("%w: byte %#02x after a field, want a newline", compact.ErrMalformed, end)
	}
	return data.Bytes(), nil
}

func truncated(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the field is not whole", compact.ErrTruncated)
	}
	return err
}

// journalRecord takes the entry for what its transport says.
func (r *Reader) journalRecord() (bool, error) {
	fields := r.journal.fields
	if len(fields) > 0 {
		r.any = true // a journal may well have no record
	}
	switch string(fields["_TRANSPORT"]) {
	case "kernel":
		_, found, err := r.record.parseKernel(fields["MESSAGE"], nil)
		return found, err
	case "audit":
		return r.auditRecord(fields)
	}
	return false, nil
}

// auditRecord reads what journald has from the kernel itself. The message is the name of the type and
// the record.
func (r *Reader) auditRecord(fields map[string][]byte) (bool, error) {
	t := number(fields["_AUDIT_TYPE"])
	if !t.wanted() {
		return false, nil
	}
	r.record = Record{Type: t, Digest: r.record.Digest[:0]}
	stamp := fields["_SOURCE_REALTIME_TIMESTAMP"]
	if stamp == nil {
		stamp = fields["__REALTIME_TIMESTAMP"]
	}
	usec, err := strconv.ParseInt(string(stamp), 10, 64)
	if err != nil || usec < 0 || usec/1e6 > maxSeconds {
		return false, fmt.Errorf("%w: time %.32q, want microseconds since 1970", compact.ErrMalformed, stamp)
	}
	r.record.Time = time.UnixMicro(usec).UTC()
	r.record.Serial, _ = strconv.ParseUint(string(fields["_AUDIT_ID"]), 10, 64)
	return r.record.parseFields(fields["MESSAGE"])
}
