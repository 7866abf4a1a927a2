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
	"syscall"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/journal"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A killed run is a process of its own: this test binary, told by the environment what to
// do and at which point to send itself SIGKILL.
const (
	killRoot = "SETUP_TEST_ROOT"
	killWhat = "SETUP_TEST_WHAT" // run or rollback
	killAt   = "SETUP_TEST_KILL" // number of the point, from 0
)

func TestMain(m *testing.M) {
	if root := os.Getenv(killRoot); root != "" {
		at, err := strconv.Atoi(os.Getenv(killAt))
		if err == nil {
			err = runKilled(root, os.Getenv(killWhat), at)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// point ends the process when it is reached for the last time.
func point(left *int) {
	if *left--; *left < 0 {
		unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	}
}

func config(root string) Config {
	c := Default(root)
	c.Immutable = []string{"/usr/local/bin"}
	return c
}

// runKilled runs a set-up that dies before, in the middle of, or after a step: what is
// changed is changed by then, and the journal does not know that it was all.
func runKilled(root, what string, at int) error {
	if what == "rollback" {
		return Rollback(context.Background(), root, false, func(string) { point(&at) })
	}
	s := &Setup{Config: config(root), Root: root}
	steps, err := s.Steps()
	if err != nil {
		return err
	}
	j, err := journal.Open(root, StateDir, true)
	if err != nil {
		return err
	}
	defer j.Close()
	for i, step := range steps {
		steps[i].Do = func(ctx context.Context, out io.Writer) error {
			point(&at) // before
			if err := step.Do(ctx, out); err != nil {
				return err
			}
			point(&at) // all is changed, and not written down
			return nil
		}
	}
	return s.run(context.Background(), j, steps, io.Discard, func(_ Step, _, _ int, state State) {
		if state == Done {
			point(&at) // written down
		}
	})
}

// inProcess runs it in a process, and reports whether that was killed.
func inProcess(t *testing.T, root, what string, at int) bool {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), killRoot+"="+root, killWhat+"="+what, killAt+"="+strconv.Itoa(at))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == unix.SIGKILL:
		return true
	}
	t.Fatalf("%s at %d: %v\n%s", what, at, err, out)
	return false
}

// machine makes the system of test/inputs/machine, with the tools on the PATH.
func machine(t *testing.T, tools string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	inputs, err := filepath.Abs("../../test/inputs")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("UPLOADER", filepath.Join(tools, "upload_digest_lists"))
	hosttest.Shell(t, inputs, "sh machine/make "+root+" && cp -a --no-preserve=timestamps db/sqlite/rpmdb.sqlite "+root+"/var/lib/rpm/")
	return root
}

func buildTools(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir, "../../gen_digest_lists", "../../upload_digest_lists", "../../verify_digest_lists")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

// Killed at every step, a set-up can be rolled back at once; or go on, and be rolled back
// then, by a rollback that is killed at every step itself.
func TestKilledAtEveryStep(t *testing.T) {
	tools := buildTools(t)
	killed := 0
	for at := 0; ; at++ {
		root := machine(t, tools)
		before := hosttest.Snapshot(t, root)
		if !inProcess(t, root, "run", at) {
			break
		}
		killed++
		if err := Rollback(context.Background(), root, false, func(string) {}); err != nil {
			t.Fatalf("rollback after point %d: %v", at, err)
		}
		if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
			t.Errorf("killed at %d, rolled back: %s", at, diff)
		}
		if !inProcess(t, root, "run", at) {
			t.Fatalf("not killed at %d again", at)
		}
		if inProcess(t, root, "run", 100) {
			t.Fatalf("the run after point %d did not end", at)
		}
		if entry := hosttest.Shell(t, root, "ls boot/loader/entries/*~digestlists-log.conf etc/ima/digest_lists"); entry == "" {
			t.Error("nothing was set up")
		}
		for back := 0; inProcess(t, root, "rollback", back); back = 2 * (back + 1) {
		}
		if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
			t.Errorf("killed at %d, gone on, rolled back: %s", at, diff)
		}
	}
	if want := 3 * 6; killed != want {
		t.Errorf("killed at %d points, want %d", killed, want)
	}
}
