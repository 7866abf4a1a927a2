package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/initramfs"
	"digestlists/internal/inroot"
	"digestlists/internal/listdir"

	"github.com/urfave/cli/v2"
)

// listFlags are those of every command that makes lists.
func listFlags() []cli.Flag {
	return []cli.Flag{
		rootFlag(),
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
		&cli.StringFlag{Name: "algorithm", Value: "sha256", Usage: "digest `ALGORITHM` of files and signatures: that of ima_hash="},
		&cli.BoolFlag{Name: "sign", Aliases: []string{"s"}, Usage: "sign the lists; needs -v and -x"},
		&cli.StringFlag{Name: "key", Aliases: []string{"v"}, Usage: "private `KEY` (PEM)"},
		&cli.StringFlag{Name: "cert", Aliases: []string{"x"}, Usage: "certificate `CERT` of the key (PEM or DER)"},
		&cli.BoolFlag{Name: "initramfs", Aliases: []string{"a"}, Usage: "make the initramfs anew afterwards"},
		&cli.StringFlag{Name: "kernel", Aliases: []string{"V"}, Usage: "with -a: only for kernel `VERSION`", DefaultText: "every kernel"},
	}
}

// work is what the commands that make lists have in common.
type work struct {
	root      *inroot.Root
	folder    string // of the lists, as the system calls it
	dir       string // the same on the running system
	algorithm compact.Algorithm
	signer    *signer // nil: lists are not signed
	out       io.Writer
	command.Reporter
}

// listCommand makes a command of what is to be done before the initramfs is made anew.
func listCommand(cmd cli.Command, do func(*cli.Context, *work) error) *cli.Command {
	cmd.Flags = append(cmd.Flags, listFlags()...)
	cmd.Action = func(c *cli.Context) error {
		if err := command.NoArguments(c); err != nil {
			return err
		}
		w, err := newWork(c)
		if err != nil {
			return err
		}
		defer w.root.Close()
		if c.IsSet("kernel") && !c.Bool("initramfs") {
			return command.Usagef("-V is for -a")
		}
		if err := do(c, w); err != nil || !c.Bool("initramfs") || c.Bool("dry-run") {
			return err
		}
		return rebuild(c.Context, c.String("root"), c.String("kernel"), w.out)
	}
	return &cmd
}

func newWork(c *cli.Context) (*work, error) {
	w := &work{folder: c.String("dir"), out: c.App.Writer, Reporter: command.Reporter{
		Tool: "setup_ima_digest_lists", Log: c.App.ErrWriter, Hint: "mend what is named above, and run it again",
	}}
	var err error
	if w.algorithm, err = compact.ParseAlgorithm(c.String("algorithm")); err != nil {
		return nil, command.Usagef("--algorithm: %w", err)
	}
	if w.signer, err = newSigner(c); err != nil {
		return nil, err
	}
	if w.root, err = inroot.Open(c.String("root")); err != nil {
		return nil, err
	}
	if err := mustBeRoot(w.root.Path("/")); err != nil {
		w.root.Close()
		return nil, err
	}
	w.dir = w.root.Path(w.folder)
	return w, nil
}

// mustBeRoot refuses to change the running system, whose root is "" or "/", as another user.
func mustBeRoot(root string) error {
	if (root == "" || root == "/") && os.Geteuid() != 0 {
		return command.WithHint(errors.New("this changes the system: it must be run by root"), "sudo setup_ima_digest_lists …, or --root for another system")
	}
	return nil
}

// rootToChange returns the root of a command that takes no arguments and changes the system.
func rootToChange(c *cli.Context) (string, error) {
	if err := command.NoArguments(c); err != nil {
		return "", err
	}
	root, err := absoluteRoot(c)
	if err != nil {
		return "", err
	}
	return root, mustBeRoot(root)
}

// rebuild makes the initramfs anew, with the lists that are there now.
func rebuild(ctx context.Context, root, kernel string, out io.Writer) error {
	g, err := initramfs.Find(root)
	if err != nil {
		return command.WithHint(err, "make it by the means of this system: the lists are done")
	}
	line, err := g.Command(kernel)
	if err != nil {
		return command.WithHint(err, "--kernel names one of those in /lib/modules; the lists are done")
	}
	fmt.Fprintln(out, "running", line)
	return command.WithHint(g.Rebuild(ctx, kernel), "the lists are done; what the initramfs has are the old ones")
}

// change changes the list directory in one step, and says what came of it. With a
// signer, the list of its key is there afterwards.
func (w *work) change(do func(*listdir.Tx) error) error {
	tx, err := listdir.Begin(w.dir, listdir.Options{})
	if err != nil {
		return err
	}
	defer tx.Close()
	if err := w.addKey(tx); err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return err
	}
	summary, err := tx.Commit()
	if err != nil {
		return err
	}
	for _, name := range summary.Added {
		fmt.Fprintln(w.out, "added", name)
	}
	for _, name := range summary.Changed {
		fmt.Fprintln(w.out, "changed", name)
	}
	return nil
}

// stage stages the content of a list with its signature.
func (w *work) stage(tx *listdir.Tx, content []byte) (*listdir.Staged, error) {
	staged, err := tx.Stage(content)
	if err != nil || w.signer == nil {
		return staged, err
	}
	value, err := w.signer.sign(content, w.algorithm)
	if err != nil {
		return nil, err
	}
	return staged, staged.SetXattr(attributeName, value)
}
