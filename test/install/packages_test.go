// Package install tests the packages: builds them from the source tarball without network
// and without Go's module cache, installs them in scratch roots over what they replace, with
// files of the user in place, uses the tools there, and removes them.
package install

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
)

// packages is where they are.
var packages string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if packages, err = os.MkdirTemp("", "install"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(packages)
		// Debian keeps ldconfig and its like, for which dpkg asks, where only root looks.
		os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
		build := exec.Command("sh", "testdata/build", packages)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "testdata/build:", err)
			return 1
		}
		return m.Run()
	}())
}

// A kind of packages, and how its packages are installed in a root.
type kind struct {
	name string
	// init makes the root of a system with a shell and with what is replaced: a package,
	// and those whose names begin so.
	init func(t *testing.T, root, replaced string)
	// install installs or upgrades, remove removes, and purge also removes configuration.
	install func(t *testing.T, root string)
	remove  func(t *testing.T, root string)
	purge   func(t *testing.T, root string)
	// database is not looked at, and kept is the configuration that a removal keeps.
	database string
	kept     string
	// notices is where the licences of modules are.
	notices string
	// offered is the configuration of the package beside one that the user has changed.
	offered string
}

const (
	conf  = "etc/ima/digest_lists.conf"
	lists = "etc/ima/digest_lists"
	mine  = "update = no\n# changed by the user\n"
)

// The life of the packages on a machine that had the C tools, or an earlier release.
func TestLife(t *testing.T) {
	for _, k := range []kind{rpmKind, debKind} {
		for _, replaced := range []string{"digest-list-tools", "digestlists"} {
			t.Run(k.name+" over "+replaced, func(t *testing.T) { testLife(t, k, replaced) })
		}
	}
}

func testLife(t *testing.T, k kind, replaced string) {
	root := t.TempDir()
	must(t, os.Chmod(root, 0o755))
	folders(t, root)
	k.init(t, root, replaced)
	before := tree(t, root, k.database)
	must(t, os.WriteFile(filepath.Join(root, conf), []byte(mine), 0o644))

	k.install(t, root)
	smoke(t, root)
	must(t, os.Remove(filepath.Join(root, k.offered)))
	wantNotices(t, filepath.Join(root, k.notices))

	made := listsIn(t, root)
	k.install(t, root)
	unchanged(t, "configuration", mine, string(hosttest.Read(t, filepath.Join(root, conf))))
	unchanged(t, "lists", made, listsIn(t, root))

	k.remove(t, root)
	unchanged(t, "configuration", mine, string(hosttest.Read(t, filepath.Join(root, k.kept))))
	unchanged(t, "lists", made, listsIn(t, root))

	k.purge(t, root)
	must(t, os.RemoveAll(filepath.Join(root, "etc/ima")))
	left := slices.DeleteFunc(tree(t, root, k.database), func(name string) bool {
		return slices.Contains(before, name) && !strings.Contains(name, "digest") // of what was replaced
	})
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// smoke uses the tools in a root.
func smoke(t *testing.T, root string) {
	t.Helper()
	script := hosttest.Read(t, "testdata/smoke")
	out := hosttest.Run(t, "", "chroot", root, "/bin/sh", "-c", string(script))
	for _, want := range []string{"digests_count 6, was 0", "signed by 0-key_list-cert.der"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// wantNotices checks that there are licences of what is linked into the tools.
func wantNotices(t *testing.T, pattern string) {
	t.Helper()
	text := string(hosttest.Read(t, find(t, pattern)[0]))
	for _, want := range []string{"the Go programming language", "modernc.org/sqlite", "github.com/urfave/cli/v2"} {
		if !strings.Contains(text, "\n==== "+want) {
			t.Errorf("%s: no licence of %s", pattern, want)
		}
	}
}

func unchanged(t *testing.T, what, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}
