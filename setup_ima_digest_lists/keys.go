package main

import (
	"fmt"
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
	if err := absent(c, files...); err != nil {
		return err
	}
	var batch atomicfile.Batch
	defer batch.Discard()
	for _, f := range files {
		path := filepath.Join(c.String("root"), f.path)
		if err := batch.MakeFolders(filepath.Dir(path)); err != nil {
			return err
		}
		if err := addFile(&batch, path, f); err != nil {
			return err
		}
	}
	return batch.Commit()
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

func addFile(batch *atomicfile.Batch, path string, f newFile) error {
	mode := fs.FileMode(0o644)
	if f.secret {
		mode = 0o600
	}
	return batch.Add(path, mode, func(file *os.File) error {
		_, err := file.Write(f.content)
		return err
	})
}
