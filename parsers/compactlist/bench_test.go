package compactlist_test

import (
	"bytes"
	"fmt"
	"testing"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/compactlist"
)

// BenchmarkTLV reads records with paths, as those of packages are.
func BenchmarkTLV(b *testing.B) {
	var list bytes.Buffer
	w := compact.NewTLVWriter(&list)
	const records = 10000
	for i := range records {
		rec := &compact.Record{Digest: bytes.Repeat([]byte{byte(i), 1}, 16), Path: fmt.Sprintf("/usr/lib/python3/dist-packages/module%d/file%d.py", i/100, i)}
		rec.SetOwner(0, 0)
		rec.SetMode(0o100644)
		rec.SetSize(int64(i))
		if err := w.Add(compact.Block{Type: compact.TypeMetadata, Algorithm: compact.SHA256}, rec); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range (compactlist.TLVParser{}).Stream(bytes.NewReader(list.Bytes()), parsers.Options{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*records/b.Elapsed().Seconds(), "records/s")
}
