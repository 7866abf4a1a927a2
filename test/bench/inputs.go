package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// inputs is the folder of everything that is measured on. Its name has the
// number of the recipe: raise it when what an input holds changes.
type inputs string

func inputsIn(dir string) inputs { return inputs(filepath.Join(dir, "inputs-1")) }

func (in inputs) tree() string     { return filepath.Join(string(in), "tree") }
func (in inputs) packages() string { return filepath.Join(string(in), "packages") }
func (in inputs) root() string     { return filepath.Join(string(in), "root") }
func (in inputs) database() string { return filepath.Join(in.root(), dbPath) }
func (in inputs) lists() string    { return filepath.Join(string(in), "lists") }
func (in inputs) key() string      { return filepath.Join(string(in), "key", "key.pem") }
func (in inputs) cert() string     { return filepath.Join(string(in), "key", "cert.der") }

// An input is a folder, and what fills it.
type input struct {
	folder string
	fill   func(into string) error
}

// makeInputs makes what an earlier run has not made already, for the jobs or for curves.
func makeInputs(dir string, curves bool) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	in := inputsIn(abs)
	wanted := in.ofJobs()
	if curves {
		wanted = []input{{string(in.scaling()), makeScaling}}
	}
	for _, input := range wanted {
		if err := once(input.folder, input.fill); err != nil {
			return fmt.Errorf("make %s: %w", input.folder, err)
		}
	}
	return nil
}

func (in inputs) ofJobs() []input {
	return []input{
		{in.tree(), makeTree},
		{in.packages(), makePackages},
		{in.root(), func(into string) error { return makeDatabase(into, in.packages()) }},
		{in.lists(), func(into string) error { return makeLists(into, in.packages()) }},
		{filepath.Dir(in.key()), makeKey},
		{filepath.Join(string(in), "signed-by"), in.signTree},
		{in.evidence(), makeEvidence},
		{filepath.Dir(in.records("compact")), makeRecords},
		{in.fewRecords(), makeFewRecords},
	}
}

// once fills a folder that is not there yet. It gets its name only when it is
// complete, so one that is there can be relied on.
func once(folder string, fill func(into string) error) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "bench: making %s\n", folder)
	unfinished := folder + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.MkdirAll(unfinished, 0o755); err != nil {
		return err
	}
	if err := fill(unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished, folder)
}

// makeKey makes an RSA-2048 key and its self-signed certificate.
func makeKey(dir string) error {
	return tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench", "-days", "3650",
		"-keyout", filepath.Join(dir, "key.pem"), "-outform", "DER", "-out", filepath.Join(dir, "cert.der"))
}

// tool runs a program for its effect; what it printed is part of the error.
func tool(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args[:min(len(args), 4)], " "), err, bytes.TrimSpace(out))
	}
	return nil
}
