package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers/rpmdb"

	"github.com/urfave/cli/v2"
)

func distroCommand() *cli.Command {
	return listCommand(cli.Command{
		Name:      "distro",
		Usage:     "make a list of every package of the RPM database",
		UsageText: "setup_ima_digest_lists distro [options]",
		Description: "Runs gen_digest_lists -f rpm+db -t file -o append. Packages that have their list already\n" +
			"are left alone; new lists are named like those that are there.",
	}, func(c *cli.Context, w *work) error { return w.listPackages(c.Context, c.String("root")) })
}

func (w *work) listPackages(ctx context.Context, root string) error {
	db, err := rpmdb.Find(root)
	if err != nil {
		return err
	}
	args := []string{"-d", w.dir, "-f", "rpm+db", "--db", db, "-t", "file", "-o", "append", "-a", w.algorithm.String()}
	newer, err := newerNames(w.dir)
	if err != nil {
		return err
	}
	if newer {
		args = append(args, "-A", w.root.Path("/"))
	}
	if w.signer != nil {
		args = append(args, "-s", "-k", w.signer.paths[0], "--cert", w.signer.paths[1])
	}
	if err := w.runSibling(ctx, "gen_digest_lists", args...); err != nil {
		return err
	}
	if w.signer == nil {
		return nil
	}
	return w.change(func(*listdir.Tx) error { return nil }) // the list of the signer's key
}

// newerNames reports whether the lists of packages that are there are named as 0.3.9x
// does, NAME-VERSION-RELEASE.ARCH, and not with another dash as 0.3 does. An architecture
// has no dot in its name.
func newerNames(path string) (bool, error) {
	dir, err := listdir.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer dir.Close()
	for _, l := range dir.Lists() {
		if l.Type == compact.TypeFile && l.Format == "rpm" {
			return strings.Contains(l.Label[strings.LastIndexByte(l.Label, '-')+1:], "."), nil
		}
	}
	return false, nil
}

// runSibling runs another of the tools: the one beside this one, else the one on the
// path.
func (w *work) runSibling(ctx context.Context, name string, args ...string) error {
	path, err := sibling(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, w.out, w.Log
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return &command.Error{Code: exit.ExitCode()} // it said why
	}
	return err
}

func sibling(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: neither beside this program nor in PATH", name)
	}
	return path, nil
}
