// Command known tells whether files are in a compact digest list. It is what a
// verifier does with package compact, and needs nothing else of this module.
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"digestlists/compact"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: known LIST FILE...")
		os.Exit(2)
	}
	all, err := run(os.Stdout, os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "known: error:", err)
		os.Exit(3)
	}
	if !all {
		os.Exit(1)
	}
}

// run prints a line for each file and reports whether all are known.
func run(out io.Writer, list string, files []string) (all bool, err error) {
	known, err := readList(list)
	if err != nil {
		return false, fmt.Errorf("%s: %w", list, err)
	}
	all = true
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		sum := sha256.Sum256(content)
		modifiers, found := known[sum]
		all = all && found
		switch {
		case !found:
			fmt.Fprintf(out, "unknown  %s\n", file)
		case modifiers&compact.Immutable != 0:
			fmt.Fprintf(out, "known    %s (immutable)\n", file)
		default:
			fmt.Fprintf(out, "known    %s\n", file)
		}
	}
	return all, nil
}

// readList returns the SHA-256 digests of files with their modifiers.
func readList(path string) (map[[sha256.Size]byte]compact.Modifiers, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	known := make(map[[sha256.Size]byte]compact.Modifiers)
	for d, err := range compact.NewReader(bytes.NewReader(data)).Digests() {
		if err != nil {
			return nil, err
		}
		if d.Type == compact.TypeFile && d.Algorithm == compact.SHA256 {
			known[[sha256.Size]byte(d.Sum)] |= d.Modifiers
		}
	}
	return known, nil
}
