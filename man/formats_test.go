package man

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/formats"
)

// Every list format has a section, and every algorithm its row.
func TestEveryFormatIsDescribed(t *testing.T) {
	text, err := os.ReadFile("digest_lists.5.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range formats.Lists() {
		want = append(want, "\n## "+f.Name+"\n")
	}
	for _, a := range compact.Algorithms() {
		pgp := ""
		if id, ok := a.OpenPGP(); ok {
			pgp = fmt.Sprintf("%d ", id)
		}
		want = append(want, fmt.Sprintf("\n| %d | %s | %d | %s|\n", a, a, a.Size(), pgp))
	}
	for _, typ := range compact.Types() {
		want = append(want, fmt.Sprintf("\n| %d | %s |", typ, typ))
	}
	for _, line := range want {
		if !strings.Contains(string(text), line) {
			t.Errorf("digest_lists.5.md: no %q", line)
		}
	}
}
