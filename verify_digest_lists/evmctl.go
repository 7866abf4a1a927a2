package main

import (
	"io"
	"path/filepath"

	"digestlists/attest"
	"digestlists/internal/atomicfile"
)

// writeEvmctlPCRs writes the PCR values, of the quote if there is one, to a folder unless it
// is empty: a file for each bank, with its name.
func writeEvmctlPCRs(dir string, e attest.Evidence) error {
	values := e.PCRs
	if e.Quote != nil {
		values = e.Quote.PCRs
	}
	if dir == "" || values == nil {
		return nil
	}
	for _, bank := range values.Banks() {
		write := func(w io.Writer) error {
			_, err := w.Write(values.AppendEvmctl(nil, bank))
			return err
		}
		if err := atomicfile.Write(filepath.Join(dir, bank.String()), 0o644, write); err != nil {
			return err
		}
	}
	return nil
}
