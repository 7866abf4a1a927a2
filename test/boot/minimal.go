package boot

import (
	_ "embed"
	"os"
	"path/filepath"
	"testing"
)

//go:embed guest/init
var guestInit []byte

// Minimal makes an initramfs with busybox and an init for [Guest.Run], to which
// the files are added. It returns its path.
func Minimal(t testing.TB, dir string, files ...File) string {
	t.Helper()
	path := filepath.Join(dir, "initrd")
	writeImage(t, path, nil, append([]File{
		Program("/init", guestInit), Program("/bin/busybox", busybox(t)),
		Dir("/proc"), Dir("/sys"), Dir("/root"),
		Device("/dev/console", 5, 1), Device("/dev/ttyS1", 4, 65),
	}, files...))
	return path
}

// Probed makes of an initramfs one with a script that runs before its init, where
// nothing is mounted. Programs of busybox are in its path, and it finds the
// kernel's log in /guest/kmsg. It returns the path of the new image.
func Probed(t testing.TB, dir, image, script string) string {
	t.Helper()
	content, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "initrd")
	// The kernel unpacks one archive after the other.
	writeImage(t, path, content, []File{
		Program("/guest/busybox", busybox(t)),
		Device("/guest/kmsg", 1, 11),
		Program("/guest/init", []byte(before+script+after)),
	})
	return path
}

// What the kernel gives to an init is HOME and TERM.
const (
	before = "#!/guest/busybox sh\n/guest/busybox --install -s /guest\nPATH=/guest\n"
	after  = "\nexec env -i HOME=/ TERM=linux /init\n"
)

// ProbedOption makes the kernel run the script of an image that [Probed] made.
const ProbedOption = "rdinit=/guest/init"

// writeImage writes an image of what comes first, and files.
func writeImage(t testing.TB, path string, first []byte, files []File) {
	t.Helper()
	image, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	first = append(first[:len(first):len(first)], make([]byte, -len(first)&3)...)
	if _, err := image.Write(first); err != nil {
		t.Fatal(err)
	}
	if err := WriteCPIO(image, files); err != nil {
		t.Fatal(err)
	}
	if err := image.Close(); err != nil {
		t.Fatal(err)
	}
}

// Boot boots a machine with the init of [Minimal] or [Disk], and returns when it
// takes commands.
func Boot(t testing.TB, dir string, m Machine) *Guest {
	t.Helper()
	g := Start(t, dir, m)
	if err := g.shell.ready(); err != nil {
		t.Fatalf("%v; the console ends with\n%s", err, g.tail())
	}
	return g
}
