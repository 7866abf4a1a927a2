package bootloader

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
)

// entryRoot has the files that kernel-install of Fedora and bootctl write.
func entryRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	hosttest.Shell(t, root, `
		mkdir -p boot/loader/entries && cd boot/loader/entries
		cat >0a1b-5.10.0-60.x86_64.conf <<-'END'
		title openEuler (5.10.0-60.x86_64) 22.03
		version 5.10.0-60.x86_64
		linux /vmlinuz-5.10.0-60.x86_64
		initrd /initramfs-5.10.0-60.x86_64.img $tuned_initrd
		options root=/dev/mapper/root ro  crashkernel=512M ima_hash=sha1 $tuned_params
		grub_users $grub_users
		grub_class openeuler
		END
		cat >0a1b-5.10.0-61.x86_64.conf <<-'END'
		# no title
		version	5.10.0-61.x86_64
		linux /vmlinuz-5.10.0-61.x86_64
		END
		printf 'title x\noptions a' >0a1b-5.10.0-62.x86_64.conf
		echo title rescue >0a1b-0-rescue.conf
		chmod 600 0a1b-5.10.0-60.x86_64.conf`)
	return root
}

func TestEntries(t *testing.T) {
	root := entryRoot(t)
	dir := filepath.Join(root, "boot/loader/entries")
	before := hosttest.Shell(t, dir, "ls -l; cat *")
	l, err := Detect(root)
	must(t, err)
	e := Entry{"log", []string{"ima_appraise=log", "ima_hash=sha256"}}
	must(t, l.Add(e), l.Add(e))

	want := `# digest lists: ima_appraise=log ima_hash=sha256
title openEuler (5.10.0-60.x86_64) 22.03 (digest lists, log)
version 5.10.0-60.x86_64~digestlists-log
linux /vmlinuz-5.10.0-60.x86_64
initrd /initramfs-5.10.0-60.x86_64.img $tuned_initrd
options root=/dev/mapper/root ro crashkernel=512M $tuned_params ima_appraise=log ima_hash=sha256
grub_users $grub_users
grub_class openeuler
`
	path := filepath.Join(dir, "0a1b-5.10.0-60.x86_64~digestlists-log.conf")
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for version, want := range map[string]string{
		"61": "\nversion\t5.10.0-61.x86_64~digestlists-log\nlinux /vmlinuz-5.10.0-61.x86_64\noptions ima_appraise=log ima_hash=sha256\n",
		"62": "\noptions a ima_appraise=log ima_hash=sha256\n",
	} {
		if text := read(t, filepath.Join(dir, "0a1b-5.10.0-"+version+".x86_64~digestlists-log.conf")); !strings.HasSuffix(text, want) {
			t.Errorf("%q does not end with %q", text, want)
		}
	}
	entries, err := l.Entries()
	if diff := cmp.Diff([]Entry{e}, entries); diff != "" || err != nil {
		t.Error(diff, err)
	}
	images, err := l.Images()
	if diff := cmp.Diff([]string{"/initramfs-5.10.0-60.x86_64.img"}, images); diff != "" || err != nil {
		t.Error(diff, err)
	}
	must(t, l.Remove("log"))
	if diff := cmp.Diff(before, hosttest.Shell(t, dir, "ls -l; cat *")); diff != "" {
		t.Error(diff)
	}
	if err := l.Remove("log"); !errors.Is(err, ErrAbsent) {
		t.Error(err)
	}
}

// What Touches names is all that is changed.
func TestTouches(t *testing.T) {
	root := entryRoot(t)
	l, err := Detect(root)
	must(t, err)
	hosttest.Shell(t, root, "echo title gone >boot/loader/entries/gone~digestlists-log.conf")
	paths, err := l.Touches("log")
	must(t, err, l.Add(logEntry))
	for _, f := range strings.Fields(hosttest.Shell(t, root, "ls boot/loader/entries/*~*")) {
		if !strings.Contains(strings.Join(paths, "\n")+"\n", "/"+f+"\n") {
			t.Errorf("%s is not in %q", f, paths)
		}
	}
}

func TestBadEntries(t *testing.T) {
	l, err := Detect(entryRoot(t))
	must(t, err)
	for _, bad := range []string{"ima_policy=exec_tcb|tcb", "a b", `a="b"`, "", "a=$b", "a;b", "=a", "a=b'"} {
		if err := l.Add(Entry{"log", []string{bad}}); !errors.Is(err, ErrArgument) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "../x", "A", "a b"} {
		if err := l.Add(Entry{Name: bad}); err == nil {
			t.Errorf("took the name %q", bad)
		}
	}
	if _, err := Detect(t.TempDir()); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

// machine makes the small system of test/inputs with a boot loader.
func machine(t *testing.T, loader string) string {
	t.Helper()
	inputs, err := filepath.Abs("../../test/inputs/machine")
	must(t, err)
	root := t.TempDir()
	hosttest.Shell(t, inputs, "UPLOADER=/bin/true sh ./make "+root+"; sh ./"+loader+" "+root)
	return root
}

func TestGrubby(t *testing.T) {
	root := machine(t, "grubby")
	menu := filepath.Join(root, "boot/extlinux/extlinux.conf")
	before := read(t, menu)
	l, err := Detect(root)
	must(t, err)
	must(t, l.Add(Entry{"log", []string{"ima_hash=sha256"}}))
	want := before + "/vmlinuz-1|One (digest lists, log)|root=/dev/vda1 ro quiet ima_hash=sha256|/initrd-1\n"
	if diff := cmp.Diff(want, read(t, menu)); diff != "" {
		t.Error(diff)
	}
	entries, err := l.Entries()
	if diff := cmp.Diff([]Entry{{"log", []string{"ima_hash=sha256"}}}, entries); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if images, err := l.Images(); !slices.Equal(images, []string{"/initrd-1"}) || err != nil {
		t.Errorf("images %q, %v", images, err)
	}
	// One of before is there until the new one is.
	must(t, l.Add(Entry{"log", []string{"ima_hash=sha512"}}), l.Add(Entry{"log", []string{"ima_hash=sha512"}}))
	want = before + "/vmlinuz-1|One (digest lists, log)|root=/dev/vda1 ro quiet ima_hash=sha512|/initrd-1\n"
	if diff := cmp.Diff(want, read(t, menu)); diff != "" {
		t.Error(diff)
	}
	hosttest.Shell(t, root, `sed -i 's/^--add-kernel=.*/--add-kernel=*) echo no room >\&2; exit 1; all="/' usr/sbin/grubby`)
	if err := l.Add(logEntry); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Error(err)
	}
	if diff := cmp.Diff(want, read(t, menu)); diff != "" {
		t.Error(diff)
	}
	must(t, l.Remove("log"))
	if diff := cmp.Diff(before, read(t, menu)); diff != "" {
		t.Error(diff)
	}
}
