// Package plugin_test runs the example as the tools would.
package plugin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/plugin"
)

// install copies the example into a plug-in folder and returns its parser.
func install(t *testing.T) parsers.Parser {
	t.Helper()
	script, err := os.ReadFile("parser-hexlist")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "parser-hexlist")
	if err := os.WriteFile(path, script, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	registry, err := plugin.Discover(dir)
	if err != nil {
		t.Fatal(err)
	}
	parser, err := registry.Parser("hexlist")
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

const (
	zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	mixed = "000a0d255c27ff80e3b0C44298FC1C149AFBF4C8996FB92427AE41E4649B934C"
)

func TestExample(t *testing.T) {
	parser := install(t)
	mixedBytes := []byte("\x00\x0a\x0d\x25\x5c\x27\xff\x80\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24\x27\xae\x41\xe4\x64\x9b\x93\x4c")
	for _, test := range []struct {
		list string
		want [][]byte
	}{
		{"", nil},
		{mixed + "\n", [][]byte{mixedBytes}},
		{mixed + "\n" + zeros + "\n", [][]byte{mixedBytes, make([]byte, 32)}},
		{strings.Repeat(mixed+"\n", 300), bytesRepeat(mixedBytes, 300)},
	} {
		for _, typ := range compact.Types() {
			var got [][]byte
			for e, err := range parser.Parse([]byte(test.list), parsers.Options{Type: typ}) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Type != typ || e.Algorithm != compact.SHA256 || e.Modifiers != 0 {
					t.Errorf("got %+v", e)
				}
				got = append(got, bytes.Clone(e.Digest))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s", typ, diff)
			}
		}
	}
}

func bytesRepeat(b []byte, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = b
	}
	return all
}

func TestExampleRefuses(t *testing.T) {
	parser := install(t)
	for _, list := range []string{"\n", mixed + "\n\n", mixed[:63] + "\n", mixed + "0\n", mixed + "\r\n", mixed + "\n" + mixed[:63] + "g\n", "%d\\101\n"} {
		got, err := parsers.Collect(parser.Parse([]byte(list), parsers.Options{Type: compact.TypeFile}))
		if got != nil || err == nil || !strings.Contains(err.Error(), "want a SHA-256 digest") {
			t.Errorf("%q: %d entries, error %v", list, len(got), err)
		}
	}
}
