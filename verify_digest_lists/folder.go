package main

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/packed"
	"digestlists/internal/regular"
)

// Files of the folder of a machine, besides its measurement list.
const (
	quoteFile     = "quote.msg"
	signatureFile = "quote.sig"
	valuesFile    = "quote.pcrs"
	nonceFile     = "nonce"
	pcrsFile      = "pcrs"
	eventLogFile  = "eventlog"
	auditFile     = "audit.log"
)

var keyFiles = []string{"ak.pem", "ak.pub"}

// isEvidence reports whether a file has the name of one of those.
func isEvidence(name string) bool {
	single := append(keyFiles, quoteFile, signatureFile, valuesFile, nonceFile, pcrsFile, eventLogFile)
	return slices.Contains(single, name) || strings.HasPrefix(name, auditFile) ||
		slices.ContainsFunc(listNames, func(list string) bool { _, ok := packed.Rotated(name, list); return ok })
}

// machineInFolder finds the files of a machine's evidence by their names. Others are not
// looked at, but none that may be meant for evidence is passed over. What a quote has to be
// checked with must be there if the quote is.
func machineInFolder(dir string, unquoted bool) (m machine, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	has := map[string]string{}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		if !f.Type().IsRegular() && isEvidence(f.Name()) {
			return m, fmt.Errorf("%s: %w", path, regular.ErrNotRegular)
		}
		has[f.Name()] = path
	}
	if m.measurements, err = listParts(has); err != nil {
		return m, fmt.Errorf("%s: %w", dir, err)
	}
	m.eventLog = has[eventLogFile]
	if m.audit, err = auditLogs(has); err != nil {
		return m, fmt.Errorf("%s: %w", dir, err)
	}
	if has[quoteFile] == "" {
		if !unquoted {
			return m, fmt.Errorf("%s: no quote (%s), want one, or --unquoted", dir, quoteFile)
		}
		if has[pcrsFile] != "" {
			m.pcrs = []string{has[pcrsFile]}
		}
		return m, nil
	}
	for _, name := range []string{signatureFile, valuesFile, nonceFile} {
		if has[name] == "" {
			return m, fmt.Errorf("%s: a quote without %s", dir, name)
		}
	}
	m.quote, m.signature, m.quotePCRs = has[quoteFile], has[signatureFile], has[valuesFile]
	if m.ak = cmp.Or(has[keyFiles[0]], has[keyFiles[1]]); m.ak == "" {
		return m, fmt.Errorf("%s: a quote without %s", dir, strings.Join(keyFiles, " or "))
	}
	m.nonce, err = readNonce(has[nonceFile])
	return m, err
}

func readNonce(path string) ([]byte, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	nonce, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(nonce) == 0 {
		return nil, fmt.Errorf("%s: %d bytes, want a nonce in hex", path, len(text))
	}
	return nonce, nil
}

// listNames are what the measurement list may be called: as the kernel does, or shorter.
var listNames = []string{"measurements", "binary_runtime_measurements", "ascii_runtime_measurements"}

// listParts returns the files of the measurement list: one, or NAME.1, NAME.2 and so on.
func listParts(has map[string]string) ([]string, error) {
	for _, name := range listNames {
		parts := numbered(has, name)
		var paths []string
		for i, p := range parts {
			if p.number != i+1 && (p.number != 0 || len(parts) > 1) {
				return nil, fmt.Errorf("%s and %d more are not one list, or its parts 1, 2 and so on", filepath.Base(parts[0].path), len(parts)-1)
			}
			paths = append(paths, p.path)
		}
		if paths != nil {
			return paths, nil
		}
	}
	return nil, fmt.Errorf("no measurement list (%s)", strings.Join(listNames, ", "))
}

// auditLogs returns the audit log and those that were rotated, of which the one with the
// highest number is the oldest, in the order in which they were written. Nobody would miss
// one of another name.
func auditLogs(has map[string]string) (paths []string, err error) {
	for _, p := range slices.Backward(numbered(has, auditFile)) {
		paths = append(paths, p.path)
	}
	for name, path := range has {
		if strings.HasPrefix(name, auditFile) && !slices.Contains(paths, path) {
			return nil, fmt.Errorf("%q: want %s, %[2]s.1 and so on, maybe with .gz or .zst", name, auditFile)
		}
	}
	return paths, nil
}

// A part is a file with a number after its name; 0 for none.
type part struct {
	number int
	path   string
}

// numbered returns NAME, NAME.1, NAME.2 and so on, compressed or not, by their numbers.
func numbered(has map[string]string, name string) (parts []part) {
	for file, path := range has {
		if n, ok := packed.Rotated(file, name); ok {
			parts = append(parts, part{n, path})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.path, b.path)) })
	return parts
}
