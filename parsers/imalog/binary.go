package imalog

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"digestlists/compact"
)

// nextRecord reads and decodes a binary record.
func (r *Reader) nextRecord() error {
	r.entry++
	d, start := &r.decoder, r.offset
	d.raw = d.raw[:0]
	switch _, err := r.br.Peek(1); err {
	case nil:
	case io.EOF:
		return err
	default: // the next read would not return it again
		return r.fail(0, "pcr", err)
	}
	if err := r.readHead(); err != nil {
		return err
	}
	var err error
	if d.m.Template == oldTemplate {
		err = r.readOldData()
	} else {
		err = r.readData()
	}
	if err != nil {
		return err
	}
	d.m.Raw, d.m.Line, d.m.Offset = d.raw, 0, start
	return nil
}

// readHead reads PCR, template digest and template.
func (r *Reader) readHead() error {
	d := &r.decoder
	pcr, err := r.readUint32("pcr")
	if err != nil {
		return err
	}
	if pcr > maxPCR {
		return r.fail(4, "pcr", fmt.Errorf("%w: %d, want at most %d", compact.ErrMalformed, pcr, maxPCR))
	}
	digest, err := r.read(uint32(len(d.digest)), "template digest")
	if err != nil {
		return err
	}
	copy(d.digest, digest)
	name, err := r.readSized("template length", "template", maxTemplate)
	if err != nil {
		return err
	}
	if len(name) == 0 || !printable(name) {
		return r.fail(len(name), "template", fmt.Errorf("%w: %s, want a name", compact.ErrMalformed, quote(name)))
	}
	d.setTemplate(name)
	d.m.PCR, d.m.TemplateDigest = pcr, d.digest
	return nil
}

// setTemplate avoids parsing the name again that the entry before had.
func (d *decoder) setTemplate(name []byte) {
	if d.template.name != string(name) {
		d.template = parseTemplate(string(name))
	}
	d.m.Template = d.template.name
}

// readOldData reads the data of the template "ima": no length before it, and a
// digest without one.
func (r *Reader) readOldData() error {
	digest, err := r.read(uint32(compact.SHA1.Size()), "file digest")
	if err != nil {
		return err
	}
	d := &r.decoder
	d.data = append(d.data[:0], digest...)
	name, err := r.readSized("file name length", "file name", maxOldName)
	if err != nil {
		return err
	}
	d.setOldData(name)
	return nil
}

// setOldData completes d.data, which holds the digest, with the padded name.
func (d *decoder) setOldData(name []byte) {
	size := len(d.data)
	d.data = append(d.data, name...)
	d.data = append(d.data, make([]byte, oldNameSize-len(name))...)
	d.m.Data = d.data
	d.m.Fields = append(d.m.Fields[:0],
		Field{"d", d.data[:size]},
		Field{"n", d.data[size : size+len(name)]})
}

// readData reads the template data and finds the fields in it.
func (r *Reader) readData() error {
	data, err := r.readSized("template data length", "template data", maxData)
	if err != nil {
		return err
	}
	d := &r.decoder
	d.m.Data = data
	d.m.Fields = d.m.Fields[:0]
	if d.template.ids == nil {
		d.m.Fields = nil
		return nil
	}
	at := 0
	for _, id := range d.template.ids {
		rest := data[at:]
		if len(rest) < 4 {
			return r.fail(len(rest), id, fmt.Errorf("%w: %d bytes left in the template data, want a length of 4", compact.ErrMalformed, len(rest)))
		}
		size := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		if uint64(size) > uint64(len(rest)) {
			return r.fail(len(rest)+4, id, fmt.Errorf("%w: a length of %d with %d bytes left in the template data", compact.ErrMalformed, size, len(rest)))
		}
		d.m.Fields = append(d.m.Fields, Field{id, rest[:size:size]})
		at += 4 + int(size)
	}
	if at != len(data) {
		return r.fail(len(data)-at, "template data", fmt.Errorf("%w: %d bytes after the last field", compact.ErrMalformed, len(data)-at))
	}
	return nil
}

// readSized reads a length, of that name, and as many bytes.
func (r *Reader) readSized(length, field string, limit uint32) ([]byte, error) {
	size, err := r.readUint32(length)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, r.fail(4, length, fmt.Errorf("%w: %d, want at most %d", compact.ErrTooLarge, size, limit))
	}
	return r.read(size, field)
}

func (r *Reader) readUint32(field string) (uint32, error) {
	b, err := r.read(4, field)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// read appends n bytes to the raw record and returns them. The slice is valid
// until the next read, which may move the record. Memory grows in steps, as the bytes come in.
func (r *Reader) read(n uint32, field string) ([]byte, error) {
	d := &r.decoder
	start := len(d.raw)
	for left := int(n); left > 0; {
		step := min(left, 64<<10)
		at := len(d.raw)
		d.raw = slices.Grow(d.raw, step)[:at+step]
		got, err := io.ReadFull(r.br, d.raw[at:])
		r.offset += int64(got)
		left -= got
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			have := int(n) - left
			return nil, r.fail(have, field, fmt.Errorf("%w: %d bytes, want %d", compact.ErrTruncated, have, n))
		}
		if err != nil {
			return nil, r.fail(int(n)-left, field, err)
		}
	}
	return d.raw[start:], nil
}

// fail makes the error for a field that starts back bytes before the current offset.
func (r *Reader) fail(back int, field string, err error) error {
	return &compact.FormatError{
		Offset: r.offset - int64(back),
		Field:  fmt.Sprintf("entry %d: %s", r.entry, field),
		Err:    err,
	}
}
