package main

import (
	"fmt"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/progress"

	"github.com/urfave/cli/v2"
)

func run(c *cli.Context) error {
	if c.Bool("list-formats") {
		return printFormats(c)
	}
	r, err := newRequest(c)
	if err != nil {
		return err
	}
	tx, err := listdir.Begin(r.dir, listdir.Options{DryRun: r.dryRun})
	if err != nil {
		return command.WithHint(err, dirHint(err))
	}
	defer tx.Close()
	line := progress.Start(c.App.ErrWriter, "lists")
	err = r.apply(c, tx, line)
	line.Stop()
	if err != nil {
		return err
	}
	summary, err := tx.Commit()
	if err != nil {
		return command.WithHint(err, dirHint(err))
	}
	return r.report(c.App.Writer, &summary)
}

// apply says in the transaction what becomes of the lists.
func (r *request) apply(c *cli.Context, tx *listdir.Tx, line *progress.Line) error {
	switch r.operation {
	case opRemove:
		return tx.Remove(r.listType, r.position)
	case opSign:
		return r.signLists(c.Context, tx, line)
	}
	return r.generate(c.Context, tx, line)
}

func printFormats(c *cli.Context) error {
	added, err := plugins(c.String("plugin-dir"))
	for _, f := range append(sources(new(request)), added...) {
		if f.Source != nil {
			fmt.Fprintf(c.App.Writer, "%-12s %s\n", f.Name, f.Help)
		}
	}
	return err
}
