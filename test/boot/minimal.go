package boot

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed guest/init
var guestInit []byte

// Minimal makes an initramfs with busybox and an init for [Guest.Run], to which
// the files are added. It returns its path.
func Minimal(t testing.TB, dir string, files ...File) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("%v: run test/setup", err)
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	files = append([]File{
		Program("/init", guestInit), Program("/bin/busybox", program),
		Dir("/proc"), Dir("/sys"), Dir("/root"),
		Device("/dev/console", 5, 1), Device("/dev/ttyS1", 4, 65),
	}, files...)
	path := filepath.Join(dir, "initrd")
	archive, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteCPIO(archive, files); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Boot boots an image that [Minimal] made, and returns when it takes commands.
func Boot(t testing.TB, dir string, m Machine) *Guest {
	t.Helper()
	g := Start(t, dir, m)
	if err := g.shell.ready(); err != nil {
		t.Fatalf("%v; the console ends with\n%s", err, g.tail())
	}
	return g
}
