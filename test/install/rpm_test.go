package install

import (
	"testing"

	"digestlists/internal/hosttest"
)

var rpmKind = kind{
	name: "rpm",
	init: func(t *testing.T, root, replaced string) {
		top := t.TempDir()
		hosttest.Run(t, "", "rpmbuild", "-bb", "--quiet", "--define", "_topdir "+top,
			"--define", "busybox "+busybox(t), "testdata/stand-in.rpmspec")
		rpm(t, root, append([]string{"-i"}, find(t, top, "RPMS/*/stand-in-*")...)...)
		rpm(t, root, append([]string{"-i"}, find(t, top, "RPMS/*/"+replaced+"-*")...)...)
	},
	install: func(t *testing.T, root string) {
		// Also if it is the version that is there.
		rpm(t, root, append([]string{"-U", "--force"}, find(t, packages, "digestlists*.rpm")...)...)
	},
	remove: func(t *testing.T, root string) {
		rpm(t, root, "-e", "digestlists", "digestlists-dracut")
	},
	purge:    func(*testing.T, string) {},
	database: "var/lib/rpm",
	kept:     "etc/ima/digest_lists.conf.rpmsave",
	notices:  "usr/share/licenses/digestlists-[0-9]*/NOTICES",
	offered:  "etc/ima/digest_lists.conf.rpmnew",
}

// rpm runs rpm on a root, in which it also runs scripts.
func rpm(t *testing.T, root string, args ...string) {
	t.Helper()
	hosttest.Run(t, "", "rpm", append([]string{"--root", root, "--dbpath", "/var/lib/rpm"}, args...)...)
}
