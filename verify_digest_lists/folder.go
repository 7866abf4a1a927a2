package main

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// machineInFolder finds the files of a machine's evidence by their names. Others are not
// looked at. What a quote has to be checked with must be there if the quote is.
func machineInFolder(dir string, unquoted bool) (m machine, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	has := map[string]string{}
	for _, f := range files {
		if f.Type().IsRegular() {
			has[f.Name()] = filepath.Join(dir, f.Name())
		}
	}
	if m.measurements, err = listParts(has); err != nil {
		return m, fmt.Errorf("%s: %w", dir, err)
	}
	m.eventLog = has[eventLogFile]
	m.audit = auditLogs(has)
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
// highest number is the oldest, in the order in which they were written.
func auditLogs(has map[string]string) (paths []string) {
	for _, p := range slices.Backward(numbered(has, auditFile)) {
		paths = append(paths, p.path)
	}
	return paths
}

// A part is a file with a number after its name; 0 for none.
type part struct {
	number int
	path   string
}

// numbered returns NAME, NAME.1, NAME.2 and so on, each plain, or with .gz or .zst after its
// name, by their numbers.
func numbered(has map[string]string, name string) (parts []part) {
	for file, path := range has {
		rest, ok := strings.CutPrefix(file, name)
		if !ok {
			continue
		}
		rest = strings.TrimSuffix(strings.TrimSuffix(rest, ".gz"), ".zst")
		if rest == "" {
			parts = append(parts, part{0, path})
		} else if n, err := strconv.Atoi(strings.TrimPrefix(rest, ".")); err == nil && n > 0 {
			parts = append(parts, part{n, path})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.path, b.path)) })
	return parts
}
