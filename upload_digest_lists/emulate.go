package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"digestlists/internal/kerneltable"
	"digestlists/internal/securityfs"
)

// emulate uploads into a model of the kernel's table that is kept in a file, and says
// what became of it.
func (u *uploader) emulate(stdout io.Writer) error {
	table, err := kerneltable.Load(u.table)
	if errors.Is(err, fs.ErrNotExist) {
		table, err = kerneltable.New(kerneltable.Limits{}), nil
	}
	if err != nil {
		return err
	}
	before := table.Count()
	uploads := u.prepare(u.withoutKeys(u.parsable(u.set.Lists)))
	expected := newExpectation()
	u.uploadAll(&emulation{table, tableOperation(u.operation)}, uploads, expected)
	if mismatch := expected.check(u.operation); mismatch != nil {
		u.problem(mismatch)
	}
	if err := table.Save(u.table); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "digests_count %d, was %d; %d of %d bytes used\n", table.Count(), before, table.Used(), table.Budget())
	return u.result()
}

// An emulation is the target of an upload that no kernel sees.
type emulation struct {
	table     *kerneltable.Table
	operation kerneltable.Operation
}

func (e *emulation) Upload(data []byte) error { return e.table.Write(e.operation, data) }

func (e *emulation) Count() (int, bool) { return e.table.Count(), true }

func tableOperation(op securityfs.Operation) kerneltable.Operation {
	if op == securityfs.Delete {
		return kerneltable.Delete
	}
	return kerneltable.Add
}
