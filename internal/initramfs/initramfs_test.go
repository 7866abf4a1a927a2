package initramfs_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"digestlists/internal/initramfs"
)

// A root with a shell, two kernels, and what is left of a third.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "usr/lib/modules/5.10.1/modules.dep", "")
	write(t, root, "usr/lib/modules/5.10.2/modules.dep", "")
	write(t, root, "usr/lib/modules/5.9/left", "")
	write(t, root, "boot/vmlinuz-5.10.1", "")
	must(t, os.Symlink("/usr/lib", filepath.Join(root, "lib")))
	must(t, os.MkdirAll(filepath.Join(root, "bin"), 0o755))
	busybox, err := exec.LookPath("busybox")
	must(t, err)
	must(t, exec.Command("cp", busybox, filepath.Join(root, "bin/sh")).Run())
	must(t, os.Symlink("sh", filepath.Join(root, "bin/mv")))
	must(t, os.Symlink("sh", filepath.Join(root, "bin/touch")))
	write(t, root, "etc/ima/digest_lists/0-file_list-compact-x", "list")
	return root
}

func write(t *testing.T, root, name, content string) string {
	t.Helper()
	path := filepath.Join(root, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o755))
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stand puts a stand-in for a generator into the root, which notes how it was called.
func stand(t *testing.T, root, name, more string) {
	t.Helper()
	write(t, root, "usr/sbin/"+name, "#!/bin/sh\necho \"$0 $*\" >>/called\n"+more+"\n")
}

// What Rebuild runs is seen by what the stand-ins were called with, in the root.
func TestRebuild(t *testing.T) {
	// Each program goes before those after it.
	calls := []struct{ name, all, one string }{
		{
			"kernel-install",
			"/usr/sbin/kernel-install add 5.10.1 /lib/modules/5.10.1/vmlinuz\n/usr/sbin/kernel-install add 5.10.2 /lib/modules/5.10.2/vmlinuz\n",
			"/usr/sbin/kernel-install add 5.10.2 /lib/modules/5.10.2/vmlinuz\n",
		},
		{
			"mkinitramfs",
			"/usr/sbin/mkinitramfs -o /boot/initrd.img-5.10.1.new 5.10.1\n/usr/sbin/mkinitramfs -o /boot/initrd.img-5.10.2.new 5.10.2\n",
			"/usr/sbin/mkinitramfs -o /boot/initrd.img-5.10.2.new 5.10.2\n",
		},
		{
			"dracut",
			"/usr/sbin/dracut --force --kver 5.10.1\n/usr/sbin/dracut --force --kver 5.10.2\n",
			"/usr/sbin/dracut --force --kver 5.10.2\n",
		},
		{
			"update-initramfs",
			"/usr/sbin/update-initramfs -u -k 5.10.1\n/usr/sbin/update-initramfs -u -k 5.10.2\n",
			"/usr/sbin/update-initramfs -u -k 5.10.2\n",
		},
	}
	root := newRoot(t)
	for _, c := range calls {
		stand(t, root, c.name, `[ "$1" != -o ] || touch "$2"`)
		for kernel, want := range map[string]string{"": c.all, "5.10.2": c.one} {
			os.Remove(filepath.Join(root, "called"))
			g, err := initramfs.Find(root)
			must(t, err)
			must(t, g.Rebuild(context.Background(), kernel))
			if got, _ := os.ReadFile(filepath.Join(root, "called")); string(got) != want {
				t.Errorf("%s, kernel %q:\n%swant\n%s", c.name, kernel, got, want)
			}
		}
	}
	for _, image := range []string{"5.10.1", "5.10.2"} {
		if _, err := os.Stat(filepath.Join(root, "boot/initrd.img-"+image)); err != nil {
			t.Errorf("mkinitramfs: %v", err)
		}
	}
}

func TestRebuildFails(t *testing.T) {
	root := newRoot(t)
	if _, err := initramfs.Find(root); !errors.Is(err, initramfs.ErrNoGenerator) {
		t.Errorf("no generator: %v", err)
	}
	stand(t, root, "dracut", "echo one; echo 'no space left' >&2; exit 1")
	mark := write(t, root, "var/lib/digest_lists/initramfs-stale", "")
	g, err := initramfs.Find(root)
	must(t, err)
	err = g.Rebuild(context.Background(), "")
	if err == nil || !strings.Contains(err.Error(), "dracut --force --kver 5.10.1: exit status 1\none\nno space left") {
		t.Errorf("failed generator: %v", err)
	}
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("lists are no longer marked as newer: %v", err)
	}
	if err := g.Rebuild(context.Background(), "5.9"); err == nil || !strings.Contains(err.Error(), `"5.9" has no modules`) {
		t.Errorf("unknown kernel: %v", err)
	}
	if got, err := g.Command("5.10.1"); got != "/usr/sbin/dracut --force --kver 5.10.1" || err != nil {
		t.Errorf("command %q, %v", got, err)
	}
}

// update-initramfs does not make an image where there was none, unless it is told to.
func TestFirstImage(t *testing.T) {
	root := newRoot(t)
	stand(t, root, "update-initramfs", "")
	g, err := initramfs.Find(root)
	must(t, err)
	for _, want := range []string{"/usr/sbin/update-initramfs -c -k 5.10.1", "/usr/sbin/update-initramfs -u -k 5.10.1"} {
		if got, err := g.Command("5.10.1"); got != want || err != nil {
			t.Errorf("command %q, %v, want %q", got, err, want)
		}
		write(t, root, "boot/initrd.img-5.10.1", "image")
	}
}

func TestStale(t *testing.T) {
	root := newRoot(t)
	dir := "/etc/ima/digest_lists"
	old := write(t, root, "boot/initrd.img-5.10.1", "image")
	entry := write(t, root, "boot/efi/0123/5.10.2/initrd", "image")
	write(t, root, "boot/initramfs-0-rescue-0123.img", "image")
	write(t, root, "boot/initrd.img-5.10.2.new", "image")
	list := filepath.Join(root, dir, "0-file_list-compact-x")
	at := func(hour int) time.Time { return time.Date(2020, 1, 1, hour, 0, 0, 0, time.UTC) }
	for path, hour := range map[string]int{old: 1, list: 2, entry: 3, filepath.Join(root, dir): 2} {
		must(t, os.Chtimes(path, at(hour), at(hour)))
	}
	check := func(want ...string) {
		t.Helper()
		got, err := initramfs.Stale(root, dir)
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("stale: %q, %v, want %q", got, err, want)
		}
	}
	check(old)
	must(t, os.Chtimes(filepath.Join(root, dir), at(4), at(4))) // a list was removed
	check(old, entry)
	for _, path := range []string{old, entry} {
		must(t, os.Chtimes(path, at(5), at(5)))
	}
	check()
	mark := write(t, root, "var/lib/digest_lists/initramfs-stale", "")
	check(old, entry)

	stand(t, root, "dracut", "")
	g, err := initramfs.Find(root)
	must(t, err)
	must(t, g.Rebuild(context.Background(), "5.10.1"))
	check(old, entry) // the other one still is
	must(t, g.Rebuild(context.Background(), ""))
	if _, err := os.Stat(mark); !os.IsNotExist(err) {
		t.Errorf("marked as stale after all images were made: %v", err)
	}
	check()
}
