package decode_test

import (
	"bytes"
	"os"
	"testing"

	"digestlists/compact"
	"digestlists/internal/decode"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/formats"

	"github.com/google/go-cmp/cmp"
)

// A compact_tlv list of metadata is, to the kernel, digests of metadata and of contents,
// with the modifiers of their records.
func TestRunsOfAMetadataList(t *testing.T) {
	list, err := os.ReadFile("testdata/attributes.tlv")
	if err != nil {
		t.Fatal(err)
	}
	name := listdir.Name{Type: compact.TypeMetadata, Format: "compact_tlv", Label: "attributes"}
	runs, err := decode.Runs(decode.Entries(formats.Lists(), name, list, parsers.Options{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	block := func(typ compact.Type, m compact.Modifiers) compact.Block {
		return compact.Block{Type: typ, Modifiers: m, Algorithm: compact.SHA256}
	}
	got := make(map[compact.Block]int)
	for _, run := range runs {
		got[run.Block] += len(run.Sums) / compact.SHA256.Size()
	}
	want := map[compact.Block]int{
		block(compact.TypeMetadata, 0): 1, block(compact.TypeFile, 0): 1,
		block(compact.TypeMetadata, compact.Immutable): 2, block(compact.TypeFile, compact.Immutable): 2,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(runs) != len(want) {
		t.Errorf("%d runs: %s", len(runs), diff)
	}
	var out bytes.Buffer
	w := compact.NewWriter(&out)
	if err := decode.Write(w, runs); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := compact.Check(&out); n != 6 || err != nil {
		t.Errorf("%d digests, %v", n, err)
	}
}
