package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"digestlists/internal/atomicfile"

	"github.com/urfave/cli/v2"
)

func keysCommand() *cli.Command {
	return &cli.Command{
		Name:  "keys",
		Usage: "keys that lists and files are signed with, and those of EVM",
		Subcommands: []*cli.Command{
			keysMake(), keysCheck(), keysExport(), keysImport(), keysMaster(), keysEVM(), keysLoad(),
		},
	}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: "overwrite files that are there"}
}

// A newFile is one to be written below the root. Nobody but root may read what is
// secret.
type newFile struct {
	path    string
	secret  bool
	content []byte
}

// writeFiles writes all of them or none. Files that are there are an error, before
// anything is written, unless --force is given.
func writeFiles(c *cli.Context, files ...newFile) error {
	root := c.String("root")
	if err := absent(c, files...); err != nil {
		return err
	}
	for i, f := range files {
		if err := writeFile(filepath.Join(root, f.path), f); err != nil {
			if !c.Bool("force") { // what was there before stays otherwise
				for _, done := range files[:i] {
					os.Remove(filepath.Join(root, done.path))
				}
			}
			return err
		}
	}
	return nil
}

// absent returns an error if one of the files is there, unless --force is given.
func absent(c *cli.Context, files ...newFile) error {
	if c.Bool("force") {
		return nil
	}
	for _, f := range files {
		path := filepath.Join(c.String("root"), f.path)
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s: %w, and is overwritten only with --force", path, fs.ErrExist)
		}
	}
	return nil
}

func writeFile(path string, f newFile) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if f.secret {
		mode = 0o600
	}
	return atomicfile.Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(f.content)
		return err
	})
}
