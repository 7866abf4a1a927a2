package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// failed runs the tool with an error of the n-th call of a system call, and returns its exit code
// and whether it got that far.
func (m *machine) failed(words, call string, n int) (code int, injected bool) {
	m.t.Helper()
	log := filepath.Join(filepath.Dir(m.root), "strace")
	strace := []string{"-qq", "-o", log, "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:error=ENOSPC:when=%d", call, n), m.tool}
	cmd := exec.Command("strace", append(strace, m.args(words)...)...)
	cmd.Env = append(os.Environ(), oneThread+"=1")
	out, err := cmd.CombinedOutput()
	trace, readErr := os.ReadFile(log)
	check(m.t, readErr)
	code = cmd.ProcessState.ExitCode()
	if err != nil && !bytes.Contains(out, []byte("no space left")) {
		m.t.Errorf("%s, %s %d: exit %d\n%s", words, call, n, code, out)
	}
	return code, bytes.Contains(trace, []byte("(INJECTED)"))
}

// A disk that is full at any time leaves the machine as it was, or the work is done.
func TestNoSpaceAnywhere(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"write", "copy_file_range", "mkdirat", "renameat", "fsync", "symlinkat"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				m := newMachine(t)
				code, injected := m.failed("mutable -g -D /var", call, n)
				if !injected {
					return
				}
				if code == 0 {
					m.consistent("update")
				} else if left := m.find("-type", "f", "!", "-path", "*/var/[abc]"); left != "" {
					t.Errorf("%s %d: exit %d, left behind: %s", call, n, code, left)
				}
				m.run("mutable -g -D /var")
				m.consistent("update")
			}
		})
	}
}

func (m *machine) find(args ...string) string {
	m.t.Helper()
	out, err := exec.Command("find", append([]string{m.root}, args...)...).Output()
	check(m.t, err)
	return strings.TrimSpace(string(out))
}

// mounted runs the tool where some mounts were made, which only it sees.
func (m *machine) mounted(mounts, words string) (code int, output string) {
	m.t.Helper()
	script := `cd "$0" && ` + mounts + ` && exec "$@"`
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script, m.root, m.tool}, m.args(words)...)...)
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"etc", "backup", "."} {
		m := newMachine(t)
		check(t, os.MkdirAll(filepath.Join(m.root, "etc"), 0o755))
		check(t, os.MkdirAll(filepath.Join(m.root, "backup"), 0o700))
		code, out := m.mounted("mount --bind "+folder+" "+folder+" && mount -o remount,bind,ro \"$PWD/"+folder+"\"", "mutable -g -D /var")
		if code != 3 || !strings.Contains(out, "read-only file system") {
			t.Errorf("%s: exit %d\n%s", folder, code, out)
		}
		if left := m.find("-type", "f", "!", "-path", "*/var/[abc]"); left != "" {
			t.Errorf("%s: left behind: %s", folder, left)
		}
	}
}

// Copies that do not fit are refused before the disk is full.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("/var/large", strings.Repeat("x", 3<<20))
	check(t, os.MkdirAll(filepath.Join(m.root, "backup"), 0o700))
	code, out := m.mounted("mount -t tmpfs -o size=2m,mode=700 copies backup", "mutable -g -D /var")
	if code != 3 || !strings.Contains(out, "copies of 4 files need 3 MiB, and 2 are free: no space left") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if left := m.find("-type", "f", "!", "-path", "*/var/*"); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// On the running system, here one that is nothing but the tool and its files, changes are for
// root; and after a replacement it boots again.
func TestRunningSystem(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	build := exec.Command("go", "build", "-o", filepath.Join(m.root, "usr/bin/setup_ima_digest_lists"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	busybox, err := exec.LookPath("busybox")
	check(t, err)
	check(t, os.MkdirAll(filepath.Join(m.root, "bin"), 0o755))
	check(t, exec.Command("cp", busybox, filepath.Join(m.root, "bin/sh")).Run())
	m.write("/dev/null", "")
	m.write("/bin/systemctl", "#!/bin/sh\necho \"$*\" >>/systemctl\n")
	check(t, os.Chmod(filepath.Join(m.root, "bin/systemctl"), 0o755))

	run := func(uid uint32, args ...string) (int, string) {
		cmd := exec.Command("/usr/bin/setup_ima_digest_lists", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root, Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin"}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(out)
	}
	if code, out := run(65534, "mutable", "-g", "-D", "/var"); code != 3 || !strings.Contains(out, "must be run by root") {
		t.Errorf("not root: exit %d\n%s", code, out)
	}
	for i, step := range [][]string{{"mutable", "-g", "-D", "/var"}, {"mutable", "--reboot"}} {
		if code, out := run(0, step...); code != 0 {
			t.Fatalf("step %d: exit %d\n%s", i, code, out)
		}
	}
	if m.read("/systemctl") != "" {
		t.Error("boots again after an update")
	}
	m.write("/var/a", "changed")
	if code, out := run(0, "mutable", "--reboot"); code != 0 || m.read("/systemctl") != "--no-block reboot\n" || m.read("/var/a") != "a, first" {
		t.Errorf("replace: exit %d\n%ssystemctl %q, %q", code, out, m.read("/systemctl"), m.read("/var/a"))
	}
}

// The unit is one that systemd takes, and runs the command that follows the state.
func TestUnit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unit, err := os.ReadFile("../systemd/" + bootUnit)
	check(t, err)
	if !bytes.Contains(unit, []byte("ConditionPathExists=/.digestlist_state\n")) || !bytes.Contains(unit, []byte("/setup_ima_digest_lists mutable ")) {
		t.Errorf("unit:\n%s", unit)
	}
	// systemd wants the program to be there.
	path := filepath.Join(dir, bootUnit)
	check(t, os.WriteFile(path, bytes.ReplaceAll(unit, []byte("/usr/bin/setup_ima_digest_lists"), []byte("/bin/true")), 0o644))
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}
