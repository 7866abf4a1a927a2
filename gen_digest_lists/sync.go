package main

import (
	"errors"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
)

// prune removes the lists of packages that the database does not have any more:
// those of its format and type that are none of products. Where only old lists are
// to go, products that the directory lacks are left for another run to add.
func (r *request) prune(tx *listdir.Tx, products []*product) error {
	if r.letters.convert {
		return command.WithHint(
			command.Usagef("--sync cannot tell converted lists of packages from other compact lists"),
			"--sync=add can be used, or lists in rpm format")
	}
	if len(products) == 0 {
		return errors.New("the database has no packages: refusing to remove the lists of all")
	}
	keep := make(map[string]bool)
	for _, p := range products {
		keep[p.present] = true
	}
	for _, l := range tx.Dir().Lists() {
		if l.Type != r.listType || l.Format != "rpm" || keep[l.File] || !r.letters.selectsPackage(l.Label) {
			continue
		}
		if err := tx.RemoveName(l.File); err != nil {
			return err
		}
	}
	return nil
}
