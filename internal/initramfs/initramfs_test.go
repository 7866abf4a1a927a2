package initramfs_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
