package imalog

import (
	"bytes"
	"testing"
)

func fuzzSeeds(f *testing.F) {
	for _, boot := range boots {
		f.Add(readFile(f, "testdata/"+boot.name+".ascii"))
		f.Add(readFile(f, "testdata/"+boot.name+".binary"))
	}
	for _, test := range templates {
		f.Add([]byte(test.line + "\n"))
		f.Add(record(f, test.line, unhex(f, test.data)))
	}
}

// FuzzReader holds what is read against its own rendering as text.
func FuzzReader(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, list []byte) {
		r := NewReader(bytes.NewReader(list))
		for {
			m, err := r.Next()
			if err != nil {
				if m != nil {
					t.Fatalf("a measurement with error %v", err)
				}
				return
			}
			if len(m.Raw) > len(list) || len(m.Data) > 4*len(list)+512 {
				t.Fatalf("%d bytes of data from %d", len(m.Data), len(list))
			}
			checkRoundTrip(t, m)
		}
	})
}

func checkRoundTrip(t *testing.T, m *Measurement) {
	line, ok := m.AppendText(nil)
	if !ok {
		return
	}
	again, err := NewReader(bytes.NewReader(append(line, '\n'))).Next()
	if err != nil {
		t.Fatalf("as text %q: %v", line, err)
	}
	if m.Line > 0 && !bytes.Equal(m.Data, again.Data) && bytes.IndexFunc(m.Raw, func(c rune) bool { return c < ' ' || c == 0x7f }) < 0 {
		t.Fatalf("line %q as text %q", m.Raw, line)
	}
	a, sum, err := m.FileDigest()
	b, sumAgain, errAgain := again.FileDigest()
	if a != b || !bytes.Equal(sum, sumAgain) || (err == nil) != (errAgain == nil) {
		t.Fatalf("digest %s %x %v, as text %s %x %v", a, sum, err, b, sumAgain, errAgain)
	}
}
