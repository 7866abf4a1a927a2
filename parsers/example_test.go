package parsers_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"digestlists/compact"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/tree"
)

// The format of a list is in its name: 0-file_list-ascii-release, for instance.
func ExampleParser() {
	list := []byte("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 /usr/bin/hello\n")

	parser, err := formats.Lists().Parser("ascii")
	if err != nil {
		log.Fatal(err)
	}
	opts := parsers.Options{Type: compact.TypeFile, Want: parsers.FieldPath}
	for entry, err := range parser.Parse(list, opts) {
		if err != nil {
			log.Fatal(err) // nothing of a damaged list is used
		}
		fmt.Printf("%s %v %x\n", entry.Path, entry.Algorithm, entry.Digest[:4])
	}
	// Output: /usr/bin/hello sha256 2cf24dba
}

// A damaged list is an error before its first entry.
func ExampleParser_damaged() {
	parser, err := formats.Lists().Parser("compact")
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range parser.Parse([]byte{1, 0, 2, 0}, parsers.Options{}) {
		fmt.Println(err)
	}
	// Output: offset 0: header: truncated: unexpected EOF: 4 bytes, want 16
}

// A source yields lists, and each list its files.
func ExampleSource() {
	root, err := os.MkdirTemp("", "example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	if err := os.WriteFile(filepath.Join(root, "hello"), []byte("hello"), 0o755); err != nil {
		log.Fatal(err)
	}

	in := parsers.Input{Paths: []string{root}, Root: root, Algorithm: compact.SHA256, Type: compact.TypeFile}
	for list, err := range (tree.Source{}).Lists(context.Background(), in) {
		if err != nil {
			log.Fatal(err)
		}
		for entry, err := range list.Entries {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(entry.Path, entry.Size, parsers.Gen039.Immutable(entry.Mode, entry.Size))
		}
	}
	// Output: /hello 5 true
}
