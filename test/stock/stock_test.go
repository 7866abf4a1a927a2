package stock

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"digestlists/internal/hosttest"
	"digestlists/internal/setup"
	"digestlists/test/boot"

	"github.com/google/go-cmp/cmp"
)

const setUp = "setup_ima_digest_lists --yes --config /root/answers"

// limit ends a machine that hangs. All that is done in one takes a minute where nothing
// else runs.
const limit = 30 * time.Minute

// TestOnTheMachine does all of it where it belongs: a Debian machine with GRUB and
// initramfs-tools is set up in one command, boots the entry that this has added, with the
// image that it has made, and is rolled back.
func TestOnTheMachine(t *testing.T) {
	m := newMachine(t, "initramfs-tools-core", "grub-common")
	choosy := m.bringAuthority(t)
	disk := boot.Format(t, m.dir, m.root, "700M")
	g := boot.Boot(t, m.dir, boot.Machine{
		Kernel: m.kernel, Disk: disk, Keep: true, Limit: limit, Initrd: m.image(),
		Options: []string{"root=/dev/vda", "rw", "init=/guest/init"},
	})
	securityFS(t, g)
	g.Must(t, "grub-mkconfig -o /boot/grub/grub.cfg 2>&1")
	g.Must(t, "/guest/state >/tmp/before")

	force := ""
	if !m.kernel.DigestLists {
		said, code := g.Run(t, setUp+" 2>&1")
		if code != 1 || !strings.Contains(said, "\nerror    extension ") || !strings.Contains(said, "errors above: nothing was changed") {
			t.Errorf("without digest lists in the kernel: exit %d\n%s", code, said)
		}
		unchanged(t, g)
		force = " --force"
	}
	if choosy {
		said, code := g.Run(t, setUp+" 2>&1")
		if code != 1 || !strings.Contains(said, ": error: mode log: this kernel cannot appraise lists: ") {
			t.Errorf("with a key that the kernel would not trust: exit %d\n%s", code, said)
		}
		unchanged(t, g)
		g.Must(t, makeKey)
		g.Must(t, "/guest/state >/tmp/before")
	}
	start := time.Now()
	said := g.Must(t, setUp+force)
	t.Logf("set up in %s on a machine without hardware support", time.Since(start).Round(time.Second))
	if !strings.Contains(said, "\n[6/6] bootloader: done\n") {
		t.Errorf("set-up: %s", said)
	}
	g.Off(t)

	entry := m.entry(t, disk)
	// The policy is one that every kernel has: what is measured by it can be judged.
	g = boot.Boot(t, m.dir, boot.Machine{
		Kernel: m.kernel, Disk: disk, Keep: true, Limit: limit, Initrd: entry.image, Options: append(entry.options, "ima_policy=tcb"),
	})
	if !m.kernel.DigestLists {
		goesOn(t, g)
	}
	securityFS(t, g)
	status(t, g, m.kernel)
	if said, _ := g.Run(t, "setup_ima_digest_lists preflight"); !regexp.MustCompile(`(?m)^ok +initramfs +/boot/initrd.img-[0-9.a-z-]+ has the uploader, `).MatchString(said) {
		t.Errorf("preflight after the set-up: %s", said)
	}
	g.Must(t, "setup_ima_digest_lists rollback")
	unchanged(t, g)
	g.Off(t)
}

// TestBelowARoot sets up a machine with dracut and entries for the boot loader from another
// one, boots it, and rolls it back.
func TestBelowARoot(t *testing.T) {
	m := newMachine(t, "dracut-core")
	if m.bringAuthority(t) {
		hosttest.Run(t, ".", "chroot", append([]string{m.root}, strings.Fields(makeKey)...)...)
	}
	before := hosttest.Snapshot(t, m.root)
	start := time.Now()
	hosttest.Run(t, ".", "unshare", "--mount", "./mounted", m.root, filepath.Join(m.root, "usr/bin/setup_ima_digest_lists"),
		"--root", m.root, "--yes", "--force", "--config", filepath.Join(m.root, "root/answers"))
	t.Logf("set up in %s", time.Since(start).Round(time.Second))

	disk := boot.Format(t, m.dir, m.root, "700M")
	entry := m.entry(t, disk)
	g := boot.Boot(t, m.dir, boot.Machine{
		Kernel: m.kernel, Disk: disk, Limit: limit, Initrd: entry.image, Options: append(entry.options, "ima_policy=tcb"),
	})
	if !m.kernel.DigestLists {
		goesOn(t, g)
	}
	securityFS(t, g)
	status(t, g, m.kernel)

	if err := setup.Rollback(context.Background(), m.root, false, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, hosttest.Snapshot(t, m.root)); diff != "" {
		t.Errorf("left after rollback (-before +after):\n%s", diff)
	}
}

// goesOn checks that a kernel without digest lists has said so, and nothing else. Such a
// kernel does not know initramtmpfs either, so that its initramfs keeps no attributes.
func goesOn(t *testing.T, g *boot.Guest) {
	t.Helper()
	g.Wait(t, "digestlists: this kernel has no digest lists, /etc/ima/digest_lists is not loaded")
	var lines []string
	for line := range strings.Lines(g.Console()) {
		if _, text, ok := strings.Cut(line, "digestlists: "); ok {
			lines = append(lines, text)
		}
	}
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "security attributes of lists were not restored: ") {
		t.Errorf("the console shows %q", lines)
	}
}

func status(t *testing.T, g *boot.Guest, kernel *boot.Kernel) {
	t.Helper()
	said, code := g.Run(t, "setup_ima_digest_lists status")
	if code == 4 == kernel.DigestLists {
		t.Errorf("status: exit %d", code)
	}
	known := `[1-9][0-9]*`
	if kernel.DigestLists {
		known = "0" // what is known, such a kernel does not measure
		knows(t, g)
	}
	for _, pattern := range []string{
		`(?m)^set up +log$`,
		`(?m)^lists +[1-9][0-9]*, 0 of them unsigned$`,
		`(?m)^measured +[0-9]+ files since boot, ` + known + ` of them known`,
		`(?m)^boot entry +log: ima_policy=exec_tcb `,
	} {
		if !regexp.MustCompile(pattern).MatchString(said) {
			t.Errorf("status has no line %s:\n%s", pattern, said)
		}
	}
}

// knows checks that the kernel looks lists up: what would not run is what no list has.
func knows(t *testing.T, g *boot.Guest) {
	t.Helper()
	g.Must(t, "/usr/local/bin/own && echo '#!/bin/sh' >/tmp/stranger && chmod 755 /tmp/stranger && /tmp/stranger && rm /tmp/stranger")
	said, _ := g.Run(t, "setup_ima_digest_lists status")
	if !strings.Contains(said, "\nrefused     /tmp/stranger: ") || strings.Contains(said, "/usr/local/bin/own") {
		t.Errorf("/usr/local/bin/own is in a list, and /tmp/stranger in none:\n%s", said)
	}
}

// securityFS mounts it, unless the initramfs has left it mounted.
func securityFS(t *testing.T, g *boot.Guest) {
	t.Helper()
	g.Must(t, "[ -d /sys/kernel/security/ima ] || mount -t securityfs securityfs /sys/kernel/security")
}

// unchanged checks that the guest's root file system is as it was.
func unchanged(t *testing.T, g *boot.Guest) {
	t.Helper()
	if diff, code := g.Run(t, "/guest/state >/tmp/after; diff /tmp/before /tmp/after"); code != 0 {
		t.Errorf("differs from before:\n%s", diff)
	}
}

// A machine is a root file system in a folder.
type machine struct {
	dir, root string
	kernel    *boot.Kernel
}

// newMachine makes a stock machine that has some packages.
func newMachine(t *testing.T, packages ...string) *machine {
	t.Helper()
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	dir := boot.Folder(t)
	m := &machine{dir: dir, root: filepath.Join(dir, "root"), kernel: kernel}
	hosttest.Run(t, ".", "./debian", append([]string{m.root, "attr", "busybox-static", "mawk", "mount"}, packages...)...)
	build := exec.Command("go", "build", "-o", filepath.Join(m.root, "usr/bin"),
		"../../gen_digest_lists", "../../upload_digest_lists", "../../verify_digest_lists", "../../setup_ima_digest_lists")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hosttest.Run(t, "../..", "make", "-s", "install-initramfs", "PREFIX=/usr", "DESTDIR="+m.root)
	folder := filepath.Join(filepath.Dir(kernel.Image), "..")
	hosttest.Run(t, ".", "unshare", "--mount", "./machine", m.root, folder, kernel.Version)
	return m
}

func (m *machine) image() string { return filepath.Join(m.root, "boot/initrd.img-"+m.kernel.Version) }

// An entry is what a boot loader starts.
type entry struct {
	image   string // file
	options []string
}

var (
	withLog = regexp.MustCompile(`(?m)^(?:\s*linux\s+\S+|options)\s+(.*\bima_appraise=log\b.*)$`)
	initrd  = regexp.MustCompile(`(?m)^\s*initrd\s+(\S+)$`)
)

// entry reads the entry of log mode from the menu on a disk, and gets its image from there.
func (m *machine) entry(t *testing.T, disk string) entry {
	t.Helper()
	menu := "/boot/grub/grub.cfg"
	if _, err := os.Stat(filepath.Join(m.root, "boot/loader")); err == nil {
		menu = "/boot/loader/entries/debian-" + m.kernel.Version + "~digestlists-log.conf"
	}
	text := string(hosttest.Read(t, m.fromDisk(t, disk, menu)))
	options, image := withLog.FindStringSubmatch(text), initrd.FindStringSubmatch(text)
	if options == nil || image == nil {
		t.Fatalf("no entry of log mode in %s:\n%s", menu, text)
	}
	return entry{m.fromDisk(t, disk, image[1]), strings.Fields(options[1])}
}

// fromDisk copies a file out of a file system in a file.
func (m *machine) fromDisk(t *testing.T, disk, path string) string {
	t.Helper()
	to := filepath.Join(m.dir, filepath.Base(path))
	hosttest.Shell(t, m.dir, fmt.Sprintf(`PATH=$PATH:/sbin:/usr/sbin debugfs -R "dump %s %s" %s 2>&1; test -s %[2]s`, path, to, disk))
	return to
}
