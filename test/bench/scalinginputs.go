package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"digestlists/compact"
)

// scaling is the folder of what curves are measured on: the same in several sizes.
type scaling string

func (in inputs) scaling() scaling { return scaling(filepath.Join(string(in), "scaling")) }

func (s scaling) path(what string, n int) string {
	return filepath.Join(string(s), what, fmt.Sprint(n))
}

func (s scaling) checksums(n int) string { return s.path("checksums", n) } // a file
func (s scaling) digests(n int) string   { return s.path("digests", n) }   // a folder of one list
func (s scaling) machine(n int) string   { return s.path("machines", n) }  // see makeMachine
func (s scaling) lists(n int) string     { return s.path("lists", n) }     // a folder of n lists
func (s scaling) known() string          { return filepath.Join(string(s), "0-file_list-compact-known") }
func (s scaling) cert() string           { return filepath.Join(string(s), "cert.pem") }

// digestsInList are in each of many lists.
const digestsInList = 10

// makeScaling makes all sizes.
func makeScaling(dir string) error {
	s := scaling(dir)
	for _, n := range digestCounts {
		if err := errors.Join(
			create(s.checksums(n), func(w io.Writer) error { return writeChecksums(w, n) }),
			create(filepath.Join(s.digests(n), "0-file_list-compact-known"), func(w io.Writer) error { return writeDigests(w, 0, n) }),
			makeMachine(s.machine(n), n),
		); err != nil {
			return err
		}
	}
	return errors.Join(makeKnown(s.known()), s.makeLists())
}

// makeLists makes and signs as many lists as are wanted at most; of those, smaller
// folders have links to the first.
func (s scaling) makeLists() error {
	all := listCounts[len(listCounts)-1]
	name := func(i int) string { return fmt.Sprintf("%d-file_list-compact-%06d", i, i) }
	for i := range all {
		err := create(filepath.Join(s.lists(all), name(i)), func(w io.Writer) error {
			return writeDigests(w, i*digestsInList, digestsInList)
		})
		if err != nil {
			return err
		}
	}
	if err := s.sign(s.lists(all)); err != nil {
		return err
	}
	for _, n := range listCounts[:len(listCounts)-1] {
		if err := os.MkdirAll(s.lists(n), 0o755); err != nil {
			return err
		}
		for i := range n {
			if err := os.Link(filepath.Join(s.lists(all), name(i)), filepath.Join(s.lists(n), name(i))); err != nil {
				return err
			}
		}
	}
	return nil
}

// sign has evmctl sign all files of a folder with a new key, on P-256: RSA would take
// minutes.
func (s scaling) sign(folder string) error {
	key := filepath.Join(string(s), "key.pem")
	return errors.Join(
		tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=scaling",
			"-days", "3650", "-keyout", key, "-out", s.cert()),
		tool("evmctl", "ima_sign", "-a", "sha256", "-r", "-t", "f", "--key", key, folder))
}

func writeChecksums(w io.Writer, n int) error {
	for i := range n {
		digest, path := knownFile(i)
		if _, err := fmt.Fprintf(w, "%x  %s\n", digest, path); err != nil {
			return err
		}
	}
	return nil
}

func writeDigests(w io.Writer, first, n int) error {
	list := compact.NewWriter(w)
	for i := range n {
		digest, _ := knownFile(first + i)
		if err := list.Add(compact.Block{Type: compact.TypeFile, Algorithm: compact.SHA256}, digest[:]); err != nil {
			return err
		}
	}
	return list.Close()
}

// create makes a file, and the folder that it is in.
func create(path string, fill func(io.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(fill(w), w.Flush(), f.Close())
}
