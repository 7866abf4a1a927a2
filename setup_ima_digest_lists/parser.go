package main

import (
	"bytes"
	"fmt"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/imasig"
	"digestlists/internal/listdir"
	"digestlists/internal/mutable"

	"github.com/urfave/cli/v2"
)

// parserPath is where kernels look for the parser, and the label of its list is its name.
const (
	parserPath  = "/usr/bin/upload_digest_lists"
	parserLabel = "upload_digest_lists"
	listFormat  = "compact"
)

func parserCommand() *cli.Command {
	return listCommand(cli.Command{
		Name:      "parser",
		Usage:     "make the list of the parser, " + parserPath,
		UsageText: "setup_ima_digest_lists parser [options]",
		Description: "The kernel takes converted lists from a program in such a list only. A list of an\n" +
			"earlier parser of that name is replaced, at its position.",
	}, func(_ *cli.Context, w *work) error { return w.listParser() })
}

func (w *work) listParser() error {
	content, err := w.parserList()
	if err != nil {
		return err
	}
	return w.change(func(tx *listdir.Tx) error {
		name := listdir.Name{Type: compact.TypeParser, Format: listFormat, Label: parserLabel}
		old, err := findList(tx.Dir(), name)
		if err != nil {
			return err
		}
		if old.File != "" {
			if same, err := hasContent(tx.Dir(), old, content); err != nil || same {
				return sequence(err, func() error { return w.signUnsigned(tx, old) })
			}
		}
		staged, err := w.stage(tx, content)
		if err != nil {
			return err
		}
		if old.File != "" {
			return tx.Replace(old.File, staged)
		}
		_, err = tx.Append(name, staged)
		return err
	})
}

// sequence goes on where there was no error.
func sequence(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

func (w *work) parserList() ([]byte, error) {
	name, err := w.root.Real(parserPath)
	if err != nil {
		return nil, command.WithHint(fmt.Errorf("%s: %w", w.root.Path(parserPath), err), "install it there: the kernel starts it by this path")
	}
	f, err := w.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum, err := mutable.Sum(f, w.algorithm)
	if err != nil {
		return nil, err
	}
	return compactList(compact.Block{Type: compact.TypeParser, Modifiers: compact.Immutable, Algorithm: w.algorithm}, [][]byte{sum})
}

// compactList returns a compact list of digests, each of which it has once.
func compactList(block compact.Block, sums [][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := compact.NewWriter(&out)
	seen := make(map[string]bool, len(sums))
	for _, sum := range sums {
		if seen[string(sum)] {
			continue
		}
		seen[string(sum)] = true
		if err := w.Add(block, sum); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// findList returns the list of that name at any position; its File is empty if there
// is none, and several are an error.
func findList(dir *listdir.Dir, name listdir.Name) (listdir.List, error) {
	var found listdir.List
	for _, l := range dir.Lists() {
		name.Position = l.Position
		if l.Name != name {
			continue
		}
		if found.File != "" {
			return listdir.List{}, command.WithHint(fmt.Errorf("%s: %s and %s have the same name", dir.Path(), found.File, l.File),
				"gen_digest_lists -o remove removes the one that is not needed")
		}
		found = l
	}
	return found, nil
}

// hasContent reports whether a list has that content, but for an appended signature.
func hasContent(dir *listdir.Dir, l listdir.List, want []byte) (bool, error) {
	content, err := dir.ReadInto(l.File, nil)
	if err != nil {
		return false, err
	}
	if content, _, _, err = imasig.SplitAppended(content); err != nil {
		return false, fmt.Errorf("%s: %w", l.File, err)
	}
	return bytes.Equal(content, want), nil
}
