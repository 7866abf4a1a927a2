package compact_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log"

	"digestlists/compact"
)

// A verifier wants to know whether a measured file is in one of its reference
// lists.
func ExampleReader_Digests() {
	list := exampleList()
	measured := sha256.Sum256([]byte("#!/bin/sh\n"))

	known := false
	for digest, err := range compact.NewReader(bytes.NewReader(list)).Digests() {
		if err != nil {
			log.Fatal(err) // nothing of a damaged list can be trusted
		}
		if digest.Type == compact.TypeFile && bytes.Equal(digest.Sum, measured[:]) {
			known = true
		}
	}
	fmt.Println("known:", known)
	// Output: known: true
}

func ExampleWriter() {
	var list bytes.Buffer
	w := compact.NewWriter(&list)
	program := sha256.Sum256([]byte("#!/bin/sh\n"))
	block := compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}
	if err := w.Add(block, program[:]); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", list.Bytes()[:compact.HeaderSize])
	// Output: 01000200010004000100000020000000
}

// A record says of a file what its owner, mode and capabilities have to be.
func ExampleTLVWriter() {
	var list bytes.Buffer
	w := compact.NewTLVWriter(&list)
	sum := sha256.Sum256([]byte("#!/bin/sh\n"))
	record := compact.Record{Digest: sum[:], Path: "/usr/bin/tool", Caps: "cap_net_raw=ep"}
	record.SetOwner(0, 0)
	record.SetMode(0o100755)
	record.SetSize(10)
	block := compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}
	if err := w.Add(block, &record); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	r := compact.NewTLVReader(&list)
	if _, err := r.Next(); err != nil {
		log.Fatal(err)
	}
	got, err := r.Record()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %o %s\n", got.Path, got.Mode, got.Caps)
	// Output: /usr/bin/tool 100755 cap_net_raw=ep
}

// Headers alone tell what a list is about.
func ExampleReader_Next() {
	r := compact.NewReader(bytes.NewReader(exampleList()))
	for {
		h, err := r.Next()
		if err != nil {
			break // io.EOF at the end
		}
		fmt.Println(h.Count, h.Type, h.Algorithm, h.Modifiers)
	}
	// Output: 1 file sha256 immutable
}

func ExampleCheck() {
	_, err := compact.Check(bytes.NewReader(exampleList()[:40]))
	fmt.Println(err)
	// Output: offset 16: digest 1 of 1: truncated: unexpected EOF: 24 bytes, want 32
}

func exampleList() []byte {
	var list bytes.Buffer
	w := compact.NewWriter(&list)
	program := sha256.Sum256([]byte("#!/bin/sh\n"))
	block := compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}
	if err := w.Add(block, program[:]); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return list.Bytes()
}
