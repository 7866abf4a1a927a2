package main

import (
	"fmt"
	"io"

	"digestlists/internal/kernel"
)

// emulate uploads into a model of the kernel's table that is kept in a file, and says
// what became of it.
func (u *uploader) emulate(stdout io.Writer) error {
	model, err := kernel.OpenModel(u.table, u.operation)
	if err != nil {
		return err
	}
	uploads := u.prepare(u.withoutKeys(u.parsable(u.set.Lists)))
	expected := kernel.NewExpectation()
	u.uploadAll(model, uploads, expected)
	u.check(expected)
	if err := model.Save(); err != nil {
		return err
	}
	fmt.Fprintln(stdout, model.Summary())
	return u.Result()
}
