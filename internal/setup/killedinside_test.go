package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/journal"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A tool that is killed in the middle of its work, together with the set-up.
const killedTool = `#!/bin/sh
n=$(($(cat %[1]s/count) + 1))
echo $n >%[1]s/count
[ $n -eq %[2]d ] || exec %[3]s "$@"
strace -f -qq -o /dev/null -e trace=%[4]s -e inject=%[4]s:signal=KILL %[3]s "$@"
kill -KILL $PPID
`

// killIn has the nth run of gen_digest_lists end at a system call, and the set-up with it.
func killIn(t *testing.T, tools string, n int, call string) {
	t.Helper()
	dir := t.TempDir()
	real := filepath.Join(tools, "gen_digest_lists")
	script := fmt.Sprintf(killedTool, dir, n, real, call)
	for name, content := range map[string]string{"count": "0\n", "gen_digest_lists": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// afterKill checks that a run that was killed can be rolled back at once, and otherwise
// goes on and is rolled back then.
func afterKill(t *testing.T, root, before string, goOn bool) {
	t.Helper()
	if goOn {
		if inProcess(t, root, "run", 100) {
			t.Fatal("the next run was killed, too")
		}
		if _, cut, err := Unfinished(root); cut || err != nil {
			t.Fatalf("the next run has not ended: %v", err)
		}
	}
	if err := Rollback(context.Background(), root, false, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// The tools that make lists are killed where they make a change: a temporary file, its name,
// and the directory.
func TestKilledInAListGenerator(t *testing.T) {
	tools := buildTools(t)
	for i, call := range []string{"renameat", "fsync", "fsetxattr"} {
		for n := 1; n <= 4; n += 1 + i {
			t.Run(call+strconv.Itoa(n), func(t *testing.T) {
				root := machine(t, tools)
				before := hosttest.Snapshot(t, root)
				killIn(t, tools, n, call)
				if !inProcess(t, root, "run", 100) {
					t.Fatal("not killed")
				}
				afterKill(t, root, before, n%2 == 0)
			})
		}
	}
}

// What makes the images is killed when half of one is there.
func TestKilledInTheMakerOfImages(t *testing.T) {
	tools := buildTools(t)
	for _, goOn := range []bool{false, true} {
		root := machine(t, tools)
		hosttest.Shell(t, root, `sed -i 's,^mv,[ ! -e /usr/kill ] || { kill -KILL $PPID; exit 1; }\nmv,' usr/sbin/update-initramfs`)
		before := hosttest.Snapshot(t, root)
		if err := os.WriteFile(filepath.Join(root, "usr/kill"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if !inProcess(t, root, "run", 100) {
			t.Fatal("not killed")
		}
		hosttest.Shell(t, root, "rm usr/kill; touch -d '2020-02-03 04:05:06.789' usr")
		afterKill(t, root, before, goOn)
	}
}

// What makes the images outlives the set-up that has started it, and goes on to write
// them: until it has ended nothing is taken back, which it would overwrite.
func TestMakerOfImagesOutlivesTheSetUp(t *testing.T) {
	tools := buildTools(t)
	root := machine(t, tools)
	hosttest.Shell(t, root, `sed -i 's,^mv,[ ! -e /usr/kill ] || { kill -KILL $PPID; cat /usr/kill; }\nmv,' usr/sbin/update-initramfs`)
	before := hosttest.Snapshot(t, root)
	kill := filepath.Join(root, "usr/kill")
	if err := unix.Mkfifo(kill, 0o600); err != nil {
		t.Fatal(err)
	}
	if !inProcess(t, root, "run", 100) {
		t.Fatal("not killed")
	}
	var busy *journal.BusyError
	err := Rollback(context.Background(), root, false, func(string) {})
	if !errors.As(err, &busy) || !strings.Contains(err.Error(), "update-initramf (process ") {
		t.Fatalf("rollback: %v, want the name of the program that is still there", err)
	}
	next := &Setup{Config: config(root), Root: root}
	if err := next.Run(context.Background(), io.Discard, func(Step, int, int, State) {}); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("next run: %v", err)
	}
	hosttest.Shell(t, root, `: >usr/kill; flock var/lib/digest_lists/setup/journal rm usr/kill`)
	hosttest.Shell(t, root, "touch -d '2020-02-03 04:05:06.789' usr")
	afterKill(t, root, before, false)
}

// A rollback that is killed while it restores files is finished by the next one.
func TestKilledInRollback(t *testing.T) {
	tools := buildTools(t)
	root := machine(t, tools)
	before := hosttest.Snapshot(t, root)
	if inProcess(t, root, "run", 100) {
		t.Fatal("killed")
	}
	killed := 0
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const calls = "renameat,unlinkat,mkdirat,fchmodat"
	for at := 1; ; at *= 3 {
		cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, at), self)
		cmd.Env = append(os.Environ(), killRoot+"="+root, killWhat+"=rollback", killAt+"=100")
		out, err := cmd.CombinedOutput()
		if err == nil || killed > 0 && strings.Contains(string(out), ErrNothing.Error()) {
			break // in the second case the last one was killed when all but the journal's own files was done
		}
		if cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("%v\n%s", err, out)
		}
		killed++
	}
	if killed < 3 {
		t.Errorf("killed %d times", killed)
	}
	if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}
