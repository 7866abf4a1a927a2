package install

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

var debKind = kind{
	name: "deb",
	init: func(t *testing.T, root, replaced string) {
		for _, folder := range []string{"updates", "info", "triggers"} {
			must(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg", folder), 0o755))
		}
		must(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
		top := t.TempDir()
		hosttest.Run(t, "", "sh", "testdata/stand-in.deb", top, busybox(t))
		dpkg(t, root, append([]string{"-i"}, find(t, top, "stand-in_*.deb")...)...)
		dpkg(t, root, append([]string{"-i"}, find(t, top, replaced+`[_\-]*.deb`)...)...)
	},
	install: func(t *testing.T, root string) {
		hooks := filepath.Join(root, "usr/share/initramfs-tools/hooks")
		_, err := os.Stat(hooks)
		dpkg(t, root, append([]string{"-i"}, find(t, packages, "*.deb")...)...)
		wantTriggered(t, root, err != nil)
	},
	remove: func(t *testing.T, root string) {
		dpkg(t, root, "-r", "digestlists-initramfs-tools", "digestlists-dracut", "digestlists")
		wantTriggered(t, root, true)
	},
	purge: func(t *testing.T, root string) {
		dpkg(t, root, "-P", "digestlists-initramfs-tools", "digestlists-dracut", "digestlists")
		if out := dpkg(t, root, "-l"); strings.Contains(out, "digestlists") {
			t.Errorf("dpkg still has:\n%s", out)
		}
	},
	database: "var/lib/dpkg",
	kept:     "etc/ima/digest_lists.conf",
	notices:  "usr/share/doc/digestlists/copyright",
	offered:  "etc/ima/digest_lists.conf.dpkg-dist",
}

// dpkg runs dpkg on a root, in which it also runs scripts, and keeps what the user changed.
func dpkg(t *testing.T, root string, args ...string) string {
	t.Helper()
	return hosttest.Run(t, "", "dpkg", append([]string{"--root", root, "--force-confold"}, args...)...)
}

// wantTriggered checks whether both makers of an initramfs were told that hooks came or
// went; an upgrade tells none. It forgets it then.
func wantTriggered(t *testing.T, root string, want bool) {
	t.Helper()
	log := filepath.Join(root, "triggered")
	told, err := os.ReadFile(log)
	if !errors.Is(err, fs.ErrNotExist) {
		must(t, err)
		must(t, os.Remove(log))
	}
	expected := ""
	if want {
		expected = strings.Repeat("--no-await update-initramfs\n", 2)
	}
	unchanged(t, "triggers", expected, string(told))
}
