package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// dbPath is where the database is below the root.
const dbPath = "/var/lib/rpm"

// makeDatabase fills the SQLite database of an otherwise empty system below
// root with the packages of a folder. rpm changes its root to it, so this needs root.
func makeDatabase(root, folder string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("rpm --root needs root")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.rpm"))
	if err != nil {
		return err
	}
	rpm := func(args ...string) error {
		return tool("rpm", append([]string{
			"--root", root, "--define", "_dbpath " + dbPath, "--define", "_db_backend sqlite",
		}, args...)...)
	}
	if err := rpm("--initdb"); err != nil {
		return err
	}
	// rpm compares all files of one transaction with each other, so its time
	// grows faster than their number.
	for chunk := range slices.Chunk(files, 250) {
		if err := rpm(append([]string{"-i", "--justdb", "--nodeps", "--noscripts", "--nosignature"}, chunk...)...); err != nil {
			return err
		}
	}
	return nil
}
