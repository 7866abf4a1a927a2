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

// The form of --info is that of grubby 8.40, which runs on systems with other boot
// loaders than the two above. This program keeps its menu in a file.
const fakeGrubby = `#!/bin/sh
menu=/boot/extlinux/extlinux.conf
case $1 in
--info=*)
	n=0
	while IFS='|' read -r kernel title args initrd; do
		printf 'index=%d\nkernel="%s"\nargs="%s"\nroot="/dev/vda1"\ninitrd="%s"\ntitle="%s"\nid="x"\n' "$n" "$kernel" "$args" "$initrd" "$title"
		n=$((n + 1))
		[ "$1" = --info=ALL ] || break
	done <$menu ;;
--add-kernel=*) echo "${1#*=}|${2#*=}|${3#*=}|${4#*=}" >>$menu ;;
--remove-kernel=*) sed -i "$((${1#*=} + 1))d" $menu ;;
*) exit 1 ;;
esac
`

func TestGrubby(t *testing.T) {
	root := t.TempDir()
	hosttest.Shell(t, root, `mkdir -p usr/sbin usr/bin boot/extlinux; cp /bin/busybox usr/bin; ln -s usr/bin bin
		for p in sh sed; do ln busybox usr/bin/$p 2>/dev/null || ln usr/bin/busybox usr/bin/$p; done
		echo '/vmlinuz-1|One|ro quiet ima_hash=sha1|/initrd-1' >boot/extlinux/extlinux.conf`)
	must(t, os.WriteFile(filepath.Join(root, "usr/sbin/grubby"), []byte(fakeGrubby), 0o755))
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
	must(t, l.Remove("log"))
	if diff := cmp.Diff(before, read(t, menu)); diff != "" {
		t.Error(diff)
	}
}
