package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Disk makes a disk with a root file system, whose init is the one for
// [Guest.Run], and returns its path.
func Disk(t testing.TB, dir string) string {
	t.Helper()
	root := filepath.Join(dir, "root")
	for _, empty := range []string{"dev", "proc", "run", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, empty), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, content := range map[string][]byte{
		"bin/busybox":    busybox(t),
		"sbin/init":      guestInit,
		"etc/os-release": []byte("ID=guest\n"), // how systemd tells a root file system
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return Format(t, dir, root, "16M")
}

// Format makes a disk with the files of a folder, and returns its path. The size is as
// mke2fs wants it.
func Format(t testing.TB, dir, root, size string) string {
	t.Helper()
	disk := filepath.Join(dir, "disk")
	mke2fs := exec.Command("mke2fs", "-q", "-t", "ext4", "-d", root, disk, size)
	mke2fs.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if out, err := mke2fs.CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v\n%s", err, out)
	}
	return disk
}

// busybox returns the program.
func busybox(t testing.TB) []byte {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("%v: run test/setup", err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return program
}
