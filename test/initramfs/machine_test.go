package initramfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// overlay returns a tree with the files of another, which does not change with it.
// On top are copies of more files, if any are given. It is seen by this test alone:
// mounts are those of its thread, and are gone with it.
func overlay(t *testing.T, lower string, files ...string) string {
	t.Helper()
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))

	dir := t.TempDir()
	must(t, unix.Mount("overlay test", dir, "tmpfs", 0, ""))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	root, upper, work := filepath.Join(dir, "root"), filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	mkdir(t, root, upper, work)
	for _, more := range files {
		run(t, exec.Command("cp", "-a", more+"/.", upper))
	}
	must(t, unix.Mount("overlay", root, "overlay", 0, "lowerdir="+lower+",upperdir="+upper+",workdir="+work))
	return root
}

// machine returns the machine that runs the test with other files on top, and
// what programs need: processes and the simplest devices.
func machine(t *testing.T, files ...string) string {
	t.Helper()
	root := overlay(t, "/", files...)
	must(t, unix.Mount("proc", filepath.Join(root, "proc"), "proc", 0, ""))
	dev := filepath.Join(root, "dev")
	must(t, unix.Mount("dev", dev, "tmpfs", 0, "mode=0755"))
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "random": 8, "urandom": 9} {
		path := filepath.Join(dev, name)
		must(t, unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))))
		must(t, os.Chmod(path, 0o666))
	}
	must(t, os.Symlink("/proc/self/fd", filepath.Join(dev, "fd")))
	return root
}

// chroot returns a command with a tree as its root, and root's usual environment. What
// it leaves running, as udev's script of an image does, ends with it.
func chroot(root, name string, args ...string) *exec.Cmd {
	// A path with a slash: there is nothing to look up outside.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `exec "$0" "$@"`, name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWPID}
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	return cmd
}

// run returns what a command prints, and fails the test with it if it fails.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		must(t, os.MkdirAll(dir, 0o755))
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	return string(content)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
