package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/progress"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func run(c *cli.Context) error {
	if c.Bool("list-formats") {
		return printFormats(c)
	}
	r, err := newRequest(c)
	if err != nil {
		return err
	}
	if err := r.prepare(); err != nil {
		return ownerHint(err)
	}
	defer r.release()
	if r.letters.listPaths {
		return r.printPaths(c)
	}
	tx, err := listdir.Begin(r.dir, listdir.Options{DryRun: r.dryRun})
	if err != nil {
		return command.WithHint(err, dirHint(err))
	}
	defer tx.Close()
	// Interrupted, a run removes what it has staged.
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, unix.SIGTERM)
	defer stop()
	line := progress.Start(c.App.ErrWriter, r.unit())
	err = r.apply(ctx, tx, line)
	line.Stop()
	if ctx.Err() != nil {
		return errors.New("interrupted: nothing was changed")
	}
	if err != nil {
		return ownerHint(err)
	}
	summary, err := tx.Commit()
	if err != nil {
		return command.WithHint(err, dirHint(err))
	}
	r.warnings()
	return errors.Join(r.report(c.App.Writer, &summary), r.setAttributes(c.Context))
}

// apply says in the transaction what becomes of the lists.
func (r *request) apply(ctx context.Context, tx *listdir.Tx, line *progress.Line) error {
	switch r.operation {
	case opRemove:
		return tx.Remove(r.listType, r.position)
	case opSign:
		return r.signLists(ctx, tx, line)
	}
	return r.generate(ctx, tx, line)
}

// unit is what progress is counted in.
func (r *request) unit() string {
	switch {
	case isPackageFormat(r.format):
		return "packages"
	case r.operation == opSign:
		return "lists"
	}
	return "files"
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
