// Package update tests digestlist-update and what starts it: with RPM databases
// that rpm fills, the tools as they are built, and a stand-in for the kernel.
package update

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

// What all tests share: the tools, and packages a 1, a 2 and b 1.
var shared struct {
	tools    string // gen_digest_lists and so on
	script   string // digestlist-update
	keys     string
	packages string
	database string // folder of a database with a 1 and b 1
	files    string // folder that the files of the packages are installed to
}

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	useMemory()
	dir, err := os.MkdirTemp("", "update")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared.tools, shared.packages, shared.files = filepath.Join(dir, "tools"), filepath.Join(dir, "packages"), filepath.Join(dir, "files")
	shared.script, _ = filepath.Abs("../../libexec/digestlist-update")
	shared.keys, _ = filepath.Abs("../inputs/keys")
	build := exec.Command("go", "build", "-o", shared.tools+"/",
		"../../gen_digest_lists", "../../upload_digest_lists", "../../verify_digest_lists")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	for _, p := range []string{"a 1", "a 2", "b 1"} {
		name, version, _ := strings.Cut(p, " ")
		if err := buildPackage("testdata/package.rpmspec", "name "+name, "version "+version, "folder "+shared.files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := makeDatabase(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func makeDatabase() error {
	shared.database = filepath.Join(filepath.Dir(shared.packages), "database")
	for _, name := range []string{"a-1", "b-1"} { // one by one: their order is that of the lists
		out, err := exec.Command("rpm", "--dbpath", shared.database, "--justdb", "--nodeps", "-U", packageFile(name)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("rpm: %w\n%s", err, out)
		}
	}
	return nil
}

// useMemory puts temporary files where writing through to a disk takes no time, if
// programs can be run from there: rpm and the tools wait for the disk often.
func useMemory() {
	const folder = "/dev/shm"
	f, err := os.CreateTemp(folder, "update")
	if err != nil {
		return
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("#!/bin/sh\n")
	if errors.Join(err, f.Chmod(0o755), f.Close()) == nil && exec.Command(f.Name()).Run() == nil {
		os.Setenv("TMPDIR", folder)
	}
}

// buildPackage runs rpmbuild with macros defined.
func buildPackage(spec string, macros ...string) error {
	top, err := os.MkdirTemp(filepath.Dir(shared.packages), "rpmbuild")
	if err != nil {
		return err
	}
	args := []string{"-bb", "--quiet", "--define", "_topdir " + top, "--define", "_rpmdir " + shared.packages, "--define", "_rpmfilename %{NAME}-%{VERSION}.rpm"}
	for _, m := range macros {
		args = append(args, "--define", m)
	}
	out, err := exec.Command("rpmbuild", append(args, spec)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("rpmbuild: %w\n%s", err, out)
	}
	return nil
}

// packageFile returns the path of a package such as "a-1".
func packageFile(name string) string { return filepath.Join(shared.packages, name+".rpm") }

// fileDigests returns the digests of the files of packages, as rpm prints them.
func fileDigests(t *testing.T, packages ...string) map[string]bool {
	t.Helper()
	digests := make(map[string]bool)
	for _, p := range packages {
		out := hosttest.Run(t, "", "rpm", "-qp", "--nosignature", "--qf", "[%{FILEDIGESTS}\n]", packageFile(p))
		for _, digest := range strings.Fields(out) {
			digests[digest] = true
		}
	}
	return digests
}
