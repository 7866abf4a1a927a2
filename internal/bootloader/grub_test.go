package bootloader

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// debian makes a root with the GRUB of Debian and two kernels, in a mount namespace of
// its own. Only grub-probe is another: there is no disk to ask about.
func debian(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	// The thread, and its mounts, end with the test.
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	hosttest.Shell(t, root, `
		mkdir -p usr dev proc tmp etc/default boot/grub var/lib; chmod 1777 tmp
		for d in bin sbin lib lib64; do ln -s usr/$d $d; done
		cp -a /etc/grub.d etc/
		printf '%s\n' 'GRUB_DEFAULT=0' 'GRUB_DISTRIBUTOR=Debian' 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' \
			'GRUB_CMDLINE_LINUX="console=ttyS0 ima_hash=sha1"' >etc/default/grub
		for v in 6.1.0-9-amd64 6.1.0-10-amd64; do
			echo kernel >boot/vmlinuz-$v; echo image >boot/initrd.img-$v; echo CONFIG_X=y >boot/config-$v
		done
		printf '%s\n' '#!/bin/sh' 'case "$*" in' '*target=device*) echo /dev/vda1 ;;' \
			'*fs_uuid*) echo 0b9f0d1e-66e7-4a5f-9d2c-2d6b0b4c8a11 ;;' '*target=fs*) echo ext2 ;;' \
			'*partuuid*) exit 1 ;;' '*) echo ;; esac' >grub-probe; chmod 755 grub-probe`)
	for _, dir := range []string{"usr", "dev", "proc"} {
		must(t, unix.Mount("/"+dir, filepath.Join(root, dir), "", unix.MS_BIND|unix.MS_REC, ""))
	}
	must(t, unix.Mount(filepath.Join(root, "grub-probe"), filepath.Join(root, "usr/sbin/grub-probe"), "", unix.MS_BIND, ""))
	t.Cleanup(func() {
		for _, dir := range []string{"usr/sbin/grub-probe", "usr", "dev", "proc"} {
			must(t, unix.Unmount(filepath.Join(root, dir), unix.MNT_DETACH))
		}
	})
	hosttest.Shell(t, root, "chroot . grub-mkconfig -o /boot/grub/grub.cfg")
	return root
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

var logEntry = Entry{"log", []string{"ima_policy=exec_tcb", "ima_policy=appraise_exec_tcb", "ima_appraise=log", "ima_hash=sha256", "initramtmpfs"}}

func TestGRUB(t *testing.T) {
	root := debian(t)
	menu := filepath.Join(root, "boot/grub/grub.cfg")
	before := read(t, menu)
	l, err := Detect(root)
	must(t, err)
	if entries, err := l.Entries(); len(entries) > 0 || err != nil {
		t.Errorf("%v, %v", entries, err)
	}
	must(t, l.Add(logEntry))
	after := read(t, menu)
	// What was there stays, in the same place: a default by number or name is what it was.
	start, _, _ := strings.Cut(before, "### BEGIN /etc/grub.d/20_")
	if !strings.HasPrefix(after, start) {
		t.Errorf("the menu does not begin as before:\n%s", cmp.Diff(start, after))
	}
	for _, kernel := range []string{"6.1.0-9-amd64", "6.1.0-10-amd64"} {
		want := "/boot/vmlinuz-" + kernel + " root=/dev/vda1 ro console=ttyS0 ima_policy=exec_tcb ima_policy=appraise_exec_tcb ima_appraise=log ima_hash=sha256 initramtmpfs quiet\n"
		if !strings.Contains(after, want) {
			t.Errorf("no line that ends with %s", want)
		}
	}
	if n := strings.Count(after, "'Debian (digest lists, log) GNU/Linux'"); n != 1 {
		t.Errorf("%d entries with the title\n%s", n, after)
	}
	if n := strings.Count(after, "'gnulinux-simple-"); n != 1 {
		t.Errorf("%d entries with the identity of the default", n)
	}
	hosttest.Shell(t, root, "chroot . grub-script-check /boot/grub/grub.cfg")

	must(t, l.Add(Entry{"enforce", []string{"ima_appraise=enforce"}}), l.Add(logEntry))
	entries, err := l.Entries()
	if diff := cmp.Diff([]Entry{{"enforce", []string{"ima_appraise=enforce"}}, logEntry}, entries); diff != "" || err != nil {
		t.Error(diff, err)
	}
	images, err := l.Images()
	if diff := cmp.Diff([]string{"/boot/initrd.img-6.1.0-10-amd64", "/boot/initrd.img-6.1.0-9-amd64"}, images); diff != "" || err != nil {
		t.Error(diff, err)
	}
	must(t, l.Remove("log"), l.Remove("enforce"))
	if images, err := l.Images(); len(images) > 0 || err != nil {
		t.Errorf("images of entries that are not ours: %q, %v", images, err)
	}
	if diff := cmp.Diff(before, read(t, menu)); diff != "" {
		t.Error(diff)
	}
	if err := l.Remove("log"); !errors.Is(err, ErrAbsent) {
		t.Error(err)
	}
}

// A script that fails leaves the menu as it was, and nothing behind.
func TestGRUBFails(t *testing.T) {
	root := debian(t)
	menu := filepath.Join(root, "boot/grub/grub.cfg")
	before := read(t, menu)
	l, err := Detect(root)
	must(t, err)
	hosttest.Shell(t, root, `printf '#!/bin/sh\necho no kernels >&2; exit 7\n' >etc/grub.d/10_linux`)
	if err := l.Add(logEntry); err == nil || !strings.Contains(err.Error(), "grub-mkconfig: exit status 7: no kernels") {
		t.Error(err)
	}
	if entries, err := l.Entries(); len(entries) > 0 || err != nil {
		t.Errorf("%v, %v", entries, err)
	}
	if diff := cmp.Diff(before, read(t, menu)); diff != "" {
		t.Error(diff)
	}
}

// A menu that is a link stays one, and the file behind it keeps its mode: it may have a password.
func TestGRUBLink(t *testing.T) {
	root := machine(t, "grub")
	hosttest.Shell(t, root, "mkdir -p boot/efi/EFI/x; mv boot/grub/grub.cfg boot/efi/EFI/x; ln -s /boot/efi/EFI/x/grub.cfg boot/grub/")
	l, err := Detect(root)
	must(t, err)
	must(t, l.Add(logEntry))
	if got := hosttest.Shell(t, root, "stat -c '%n %F %a' boot/grub/* boot/efi/EFI/x/*"); got != "boot/grub/grub.cfg symbolic link 777\nboot/efi/EFI/x/grub.cfg regular file 600\n" {
		t.Error(got)
	}
	if menu := read(t, filepath.Join(root, "boot/efi/EFI/x/grub.cfg")); !strings.Contains(menu, logEntry.title()) {
		t.Error(menu)
	}
}

// A menu that would not boot does not take the place of one that does.
func TestGRUBBadMenu(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"no kernels": {"chmod 644 etc/grub.d/10_linux", "has nothing of /etc/grub.d/10_linux"},
		"syntax":     {"printf '#!/bin/sh\necho \"menuentry x {\"\n' >etc/grub.d/20_own; chmod 755 etc/grub.d/20_own", "grub-script-check: exit status 1"},
		"no check":   {"rm usr/sbin/grub-script-check", "no grub-script-check"},
	} {
		t.Run(name, func(t *testing.T) {
			root := machine(t, "grub")
			l, err := Detect(root)
			must(t, err)
			must(t, l.Add(logEntry))
			hosttest.Shell(t, root, c.script)
			before := hosttest.Snapshot(t, filepath.Join(root, "boot"))
			if l, err = Detect(root); err != nil {
				t.Fatal(err)
			}
			if err := l.Remove("log"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
			entries, err := l.Entries()
			if now := hosttest.Snapshot(t, filepath.Join(root, "boot")); now != before || len(entries) != 1 || err != nil {
				t.Errorf("%v, %v\n%s", entries, err, cmp.Diff(before, now))
			}
		})
	}
}

func TestScriptIsSound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(path, []byte(fill(logEntry)), 0o755))
	hosttest.Shell(t, "/", "shellcheck "+path)
}
