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

// A package's header has no digest of metadata, whatever the type of its list.
func TestContentsOfAMetadataList(t *testing.T) {
	list := []byte("d41d8cd98f00b204e9800998ecf8427e  /etc/empty\n")
	name := listdir.Name{Type: compact.TypeMetadata, Format: "ascii", Label: "sums"}
	entries, err := parsers.Collect(decode.Entries(formats.Lists(), name, list, parsers.Options{}))
	if err != nil || len(entries) != 1 || entries[0].Type != compact.TypeFile {
		t.Errorf("%+v, %v", entries, err)
	}
}

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
