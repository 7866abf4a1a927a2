package boot_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"digestlists/test/boot"

	"golang.org/x/sys/unix"
)

// The kernel is forgiving; cpio is not.
func TestCPIOIsReadByCpio(t *testing.T) {
	dir := t.TempDir()
	archive, err := os.Create(filepath.Join(dir, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := []boot.File{
		boot.Dir("/empty"),
		boot.Program("/a/b/program", []byte("12345")),
		boot.Regular("/a/none", nil),
		boot.Device("/a/null", 1, 3),
		{Path: "/a/link", Mode: unix.S_IFLNK | 0o777, Content: []byte("b/program")},
	}
	if err := boot.WriteCPIO(archive, files); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	cpio := exec.Command("cpio", "-i", "--quiet")
	cpio.Dir, cpio.Stdin = dir, archive
	if out, err := cpio.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		var got unix.Stat_t
		if err := unix.Lstat(path, &got); err != nil {
			t.Fatal(err)
		}
		if got.Mode != f.Mode || got.Rdev != f.Device || f.Content != nil && got.Size != int64(len(f.Content)) {
			t.Errorf("%s: mode %o, device %x, size %d", f.Path, got.Mode, got.Rdev, got.Size)
		}
	}
	if content, err := os.ReadFile(filepath.Join(dir, "a/link")); err != nil || string(content) != "12345" {
		t.Errorf("%q, %v", content, err)
	}
}
