package attest

import (
	"iter"

	"digestlists/parsers/imalog"
)

// Entries are read and hashed ahead of the replay, by a goroutine of its own, in batches.
const (
	batchEntries = 256
	batchBytes   = 256 << 10 // a batch with this much data is full before
	batches      = 3         // read, replayed, and one between them
)

// batch is consecutive entries that own their memory.
type batch struct {
	entries []entry
	used    int
	data    []byte
	err     error // after the entries
}

// hashedAhead yields the measurements with what the hasher computes. An entry is valid
// until the next one. The measurements are read by another goroutine, which has ended when
// the last entry has been yielded or yield has returned false.
func hashedAhead(measurements iter.Seq2[*imalog.Measurement, error], h *hasher) iter.Seq2[*entry, error] {
	return func(yield func(*entry, error) bool) {
		free, full, stop := make(chan *batch, batches), make(chan *batch, batches), make(chan struct{})
		for range batches {
			free <- &batch{entries: make([]entry, batchEntries)}
		}
		go func() {
			defer close(full)
			fill(measurements, h, free, full, stop)
		}()
		defer func() {
			close(stop)
			for range full { // until the reader has ended
			}
		}()
		for b := range full {
			for i := range b.used {
				if !yield(&b.entries[i], nil) {
					return
				}
			}
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			free <- b
		}
	}
}

// fill reads until the end, an error, or stop.
func fill(measurements iter.Seq2[*imalog.Measurement, error], h *hasher, free <-chan *batch, full chan<- *batch, stop <-chan struct{}) {
	next := func() *batch {
		select {
		case b := <-free:
			b.used, b.data = 0, b.data[:0]
			return b
		case <-stop:
			return nil
		}
	}
	b := next()
	for m, err := range measurements {
		if b == nil {
			return
		}
		if err != nil {
			b.err = err
			break
		}
		h.hash(b.add(m))
		if b.used == batchEntries || len(b.data) > batchBytes {
			full <- b
			b = next()
		}
	}
	if b != nil {
		full <- b
	}
}

// add copies a measurement, but for its raw form.
func (b *batch) add(m *imalog.Measurement) *entry {
	e := &b.entries[b.used]
	b.used++
	fields := e.Fields[:0]
	e.Measurement = *m
	e.Raw = nil
	e.TemplateDigest, e.Data = b.keep(m.TemplateDigest), b.keep(m.Data)
	if m.Fields == nil {
		e.Fields = nil
		return e
	}
	for _, f := range m.Fields {
		fields = append(fields, imalog.Field{ID: f.ID, Data: b.keep(f.Data)})
	}
	e.Fields = fields
	return e
}

// keep copies bytes into the memory of the batch. Nil stays nil.
func (b *batch) keep(data []byte) []byte {
	if data == nil {
		return nil
	}
	at := len(b.data)
	b.data = append(b.data, data...)
	return b.data[at:len(b.data):len(b.data)]
}
