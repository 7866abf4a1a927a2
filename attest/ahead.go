package attest

import (
	"iter"

	"digestlists/internal/ahead"
	"digestlists/parsers/imalog"
)

// preparedAhead yields the measurements after prepare has seen them. Reading, preparing and
// the replay have a goroutine each. An entry is valid until the next one.
func preparedAhead(measurements iter.Seq2[*imalog.Measurement, error], prepare func(*entry)) iter.Seq2[*entry, error] {
	return ahead.Of(measurements, takeMeasurement, prepare)
}

// takeMeasurement copies a measurement, but for its raw form.
func takeMeasurement(b *ahead.Batch[entry], e *entry, m *imalog.Measurement) {
	fields := e.Fields[:0]
	e.Measurement = *m
	e.Raw = nil
	e.TemplateDigest, e.Data = b.Keep(m.TemplateDigest), b.Keep(m.Data)
	if m.Fields == nil {
		e.Fields = nil
		return
	}
	for _, f := range m.Fields {
		fields = append(fields, imalog.Field{ID: f.ID, Data: b.Keep(f.Data)})
	}
	e.Fields = fields
}
