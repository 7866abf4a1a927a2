package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/preflight"

	"github.com/google/go-cmp/cmp"
)

// nobody is a user who may read what others may.
const nobody = 65534

// another makes a machine that was set up, with the tools in it, and returns a function
// that runs its tool there as nobody.
func another(t *testing.T) (root string, run func(args ...string) (code int, stdout, stderr string)) {
	t.Helper()
	root = filepath.Join(hosttest.MemoryFolder(t), "root")
	build := exec.Command("go", "build", "-o", filepath.Join(root, "usr/local/bin")+"/", ".", "../gen_digest_lists", "../upload_digest_lists", "../verify_digest_lists")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tool := filepath.Join(root, "usr/local/bin/setup_ima_digest_lists")
	t.Setenv("UPLOADER", filepath.Join(root, "usr/local/bin/upload_digest_lists"))
	hosttest.Shell(t, "../test/inputs", "sh machine/make "+root)
	check(t, os.WriteFile(filepath.Join(root, "answers"), []byte("immutable = /usr/local/bin\n"), 0o644))
	hosttest.Shell(t, root, tool+" --root "+root+" --yes --force --config answers")
	hosttest.Shell(t, root, "install -m 0666 /dev/null dev/null; chmod 0700 etc/ima/digest_lists boot/loader; chmod 0600 boot/initrd.img-6.1.0 etc/keys/* proc/cmdline; mkdir proc/7; : >proc/7/maps; chmod 0600 proc/7/maps; chmod 0700 sys/kernel/security var/lib/rpm")
	return root, func(args ...string) (int, string, string) {
		cmd := exec.Command("/usr/local/bin/setup_ima_digest_lists", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/local/bin:/usr/sbin:/usr/bin"}
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
	}
}

// What a user may not look at is unknown, and nothing is changed.
func TestAnotherUser(t *testing.T) {
	root, run := another(t)
	before := hosttest.Snapshot(t, root)

	for _, words := range []string{
		"--yes", "--yes --config /answers", "rollback", "updates", "initramfs", "bootloader add log", "bootloader remove log",
		"distro", "parser", "immutable -D /opt", "mutable -g -D /opt",
	} {
		if code, _, said := run(strings.Fields(words)...); code != 3 || !strings.Contains(said, "it must be run by root") {
			t.Errorf("%s: exit %d, %s", words, code, said)
		}
	}
	code, out, said := run("preflight", "--json")
	var findings []preflight.Finding
	if err := json.Unmarshal([]byte(out), &findings); code != 1 || err != nil {
		t.Fatalf("preflight: exit %d, %v, %s", code, err, said)
	}
	for _, f := range findings {
		switch f.Check {
		case "securityfs", "extension", "cmdline", "policy", "keyring", "filesystems", "ramfs", "budget", "initramfs", "packages", "evm", "trouble":
			if f.Verdict != preflight.Unknown {
				t.Errorf("preflight: %+v", f)
			}
		}
	}
	code, out, said = run("status", "--json")
	var status struct {
		Unknown []string `json:"unknown_status"`
	}
	if err := json.Unmarshal([]byte(out), &status); code != 1 || err != nil {
		t.Errorf("status: exit %d, %v, %s", code, err, said)
	}
	for _, part := range []string{"set-up", "kernel", "lists", "measurements", "initramfs", "boot loader"} {
		if !strings.Contains(strings.Join(status.Unknown, "\n"), part+": ") {
			t.Errorf("status does not say that %s is not known: %q", part, status.Unknown)
		}
	}
	for words, want := range map[string]int{"gate": 1, "check": 1, "--dry-run": 3, "bootloader show": 3} {
		if code, _, said := run(strings.Fields(words)...); code != want || !strings.Contains(said, "permission denied") {
			t.Errorf("%s: exit %d, %s", words, code, said)
		}
	}
	if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}
