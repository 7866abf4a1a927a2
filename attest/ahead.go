package attest

import (
	"iter"

	"digestlists/parsers/imalog"
)

// Entries are read, and prepared, ahead of the replay, in batches: each of the three has a
// goroutine.
const (
	batchEntries = 256
	batchBytes   = 256 << 10 // a batch with this much data is full before
	batches      = 5         // one for each, and between them
)

// batch is consecutive entries that own their memory.
type batch struct {
	entries []entry
	used    int
	data    []byte
	err     error // after the entries
}

// preparedAhead yields the measurements after prepare has seen them. An entry is valid until
// the next one. The other goroutines have ended when the last entry has been yielded or yield
// has returned false.
func preparedAhead(measurements iter.Seq2[*imalog.Measurement, error], prepare func(*entry)) iter.Seq2[*entry, error] {
	return func(yield func(*entry, error) bool) {
		free, read, full := make(chan *batch, batches), make(chan *batch, batches), make(chan *batch, batches)
		stop := make(chan struct{})
		for range batches {
			free <- &batch{entries: make([]entry, batchEntries)}
		}
		go func() {
			defer close(read)
			fill(measurements, free, read, stop)
		}()
		go func() {
			defer close(full)
			for b := range read {
				for i := range b.used {
					prepare(&b.entries[i])
				}
				full <- b
			}
		}()
		defer func() {
			close(stop)
			for range full { // until the others have ended
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
func fill(measurements iter.Seq2[*imalog.Measurement, error], free <-chan *batch, read chan<- *batch, stop <-chan struct{}) {
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
		b.add(m)
		if b.used == batchEntries || len(b.data) > batchBytes {
			read <- b
			b = next()
		}
	}
	if b != nil {
		read <- b
	}
}

// add copies a measurement, but for its raw form.
func (b *batch) add(m *imalog.Measurement) {
	e := &b.entries[b.used]
	b.used++
	fields := e.Fields[:0]
	e.Measurement = *m
	e.Raw = nil
	e.TemplateDigest, e.Data = b.keep(m.TemplateDigest), b.keep(m.Data)
	if m.Fields == nil {
		e.Fields = nil
		return
	}
	for _, f := range m.Fields {
		fields = append(fields, imalog.Field{ID: f.ID, Data: b.keep(f.Data)})
	}
	e.Fields = fields
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
