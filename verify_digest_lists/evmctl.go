package main

import (
	"os"
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
	var batch atomicfile.Batch
	defer batch.Discard()
	for _, bank := range values.Banks() {
		write := func(f *os.File) error {
			_, err := f.Write(values.AppendEvmctl(nil, bank))
			return err
		}
		if err := batch.Add(filepath.Join(dir, bank.String()), 0o644, write); err != nil {
			return err
		}
	}
	return batch.Commit()
}
