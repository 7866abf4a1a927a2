package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A target is a fuzz test: the folder of its package below the root, and its name.
type target struct {
	folder, name string
}

func (t target) String() string { return t.folder + "." + t.name }

var declared = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// findTargets returns the targets in the tests below a folder.
func findTargets(root string) (found []target, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (path == filepath.Join(root, "build") || path == filepath.Join(root, "vendor") || e.Name() == "testdata") {
			return fs.SkipDir
		}
		if e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, match := range declared.FindAllSubmatch(source, -1) {
			found = append(found, target{folder, string(match[1])})
		}
		return err
	})
	return found, err
}

func goEnv(name string) (string, error) {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return "", fmt.Errorf("go env %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// build makes the test program of a package.
func build(folder, to string, flags ...string) error {
	args := append([]string{"test", "-c", "-o", to}, flags...)
	out, err := exec.Command("go", append(args, "./"+folder)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -c ./%s: %w\n%s", folder, err, out)
	}
	return nil
}

// version is that of the source.
func version() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "-"
	}
	return strings.TrimSpace(string(out))
}
