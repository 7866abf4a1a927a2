package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

// folders makes those that every system has.
func folders(t *testing.T, root string) {
	t.Helper()
	for _, folder := range []string{
		"bin", "dev", "proc", "root", "tmp", "run", "etc", "var/lib", "var/tmp", "usr/bin", "usr/libexec", "usr/share/doc", "usr/share/licenses",
		"usr/share/man/man5", "usr/share/man/man8", "usr/lib/dracut/modules.d", "usr/lib/systemd/system/sysinit.target.wants",
	} {
		must(t, os.MkdirAll(filepath.Join(root, folder), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(root, "dev/null"), nil, 0o666))
}

// busybox returns where the machine has the programs for a root.
func busybox(t *testing.T) string {
	t.Helper()
	path, err := filepath.EvalSymlinks("/bin/busybox")
	must(t, err)
	return path
}

// tree returns the names in a root, but for those of a database.
func tree(t *testing.T, root, database string) []string {
	t.Helper()
	return strings.Fields(hosttest.Shell(t, root, "find . -path ./"+database+" -prune -o -printf '%p\\n' | sort"))
}

// listsIn prints the lists in a root, with their attributes.
func listsIn(t *testing.T, root string) string {
	t.Helper()
	return hosttest.Shell(t, filepath.Join(root, lists), `find . -mindepth 1 -printf '%p %y %m %U:%G %T@ %l\n' | sort
		sha256sum -- *
		getfattr -h -d -m - -e hex -- *`)
}

// find returns the files of a pattern, at least one.
func find(t *testing.T, pattern ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %q, %v", filepath.Join(pattern...), found, err)
	}
	return found
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
