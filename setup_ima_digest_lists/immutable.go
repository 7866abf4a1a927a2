package main

import (
	"fmt"
	"slices"
	"time"

	"digestlists/compact"
	"digestlists/internal/listdir"
	"digestlists/internal/mutable"

	"github.com/urfave/cli/v2"
)

func immutableCommand() *cli.Command {
	return listCommand(cli.Command{
		Name:      "immutable",
		Usage:     "make a list of files that are never written to",
		UsageText: "setup_ima_digest_lists immutable [-i] [-D DIRS] [-E DIRS] [options]",
		Description: "Lists files that no list knows yet. On a terminal, they are first opened in $VISUAL,\n" +
			"$EDITOR or vi, to be left out; elsewhere all are taken.",
		Flags: fileFlags(),
	}, func(c *cli.Context, w *work) error {
		files, err := w.chooseFiles(c, "immutable")
		if err != nil || len(files) == 0 {
			return err
		}
		return w.listImmutable(files)
	})
}

func (w *work) listImmutable(files []string) error {
	sums := make([][]byte, len(files))
	for i, name := range files {
		f, err := w.root.Open(name)
		if err != nil {
			return err
		}
		sums[i], err = mutable.Sum(f, w.algorithm)
		f.Close()
		if err != nil {
			return err
		}
	}
	content, err := compactList(compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: w.algorithm}, sums)
	if err != nil {
		return err
	}
	return w.change(func(tx *listdir.Tx) error {
		staged, err := w.stage(tx, content)
		if err != nil {
			return err
		}
		_, err = w.appendNew(tx, "immutable", staged)
		return err
	})
}

// appendNew adds a list under a name that no list has, at any position, nor any of the
// copies that are there.
func (w *work) appendNew(tx *listdir.Tx, kind string, staged *listdir.Staged, copies ...*mutable.Backup) (listdir.Name, error) {
	label := kind + "-" + time.Now().Format("20060102_150405")
	name := listdir.Name{Type: compact.TypeFile, Format: listFormat, Label: label}
	for n := 2; ; n++ {
		old, err := findList(tx.Dir(), name)
		if err != nil {
			return listdir.Name{}, err
		}
		taken := slices.ContainsFunc(copies, func(b *mutable.Backup) bool { return b.Of(name) })
		if old.File == "" && !taken {
			return tx.Append(name, staged)
		}
		name.Label = fmt.Sprintf("%s-%d", label, n)
	}
}
