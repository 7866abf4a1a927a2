package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"digestlists/internal/command"
	"digestlists/internal/faulttest"
	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
)

// A system is one to be set up, as it was before and as it is after, to be copied.
type system struct{ before, after, was string }

func newSystem(t *testing.T) *system {
	t.Helper()
	buildTools(t)
	dir := hosttest.MemoryFolder(t)
	inputs, err := filepath.Abs("../test/inputs")
	check(t, err)
	hosttest.Shell(t, dir, `sh `+inputs+`/machine/make before
		cp `+inputs+`/db/sqlite/rpmdb.sqlite before/var/lib/rpm/
		mkdir -p before/var/lib/digest_lists
		printf 'mode = log\nimmutable = /usr/local/bin\n' >conf
		mkdir after; cp -a before after/root
		cd after; setup_ima_digest_lists --root root --yes --config ../conf`)
	s := &system{before: filepath.Join(dir, "before"), after: filepath.Join(dir, "after/root")}
	s.was = state(t, s.before)
	return s
}

// state is all there is to know of a system, but when the folder of the journal has changed last: when that was removed.
func state(t *testing.T, root string) string {
	t.Helper()
	check(t, os.Chtimes(filepath.Join(root, "var/lib/digest_lists"), time.Time{}, time.Unix(0, 0)))
	return hosttest.Snapshot(t, root)
}

// Whatever system call fails of a rollback, or of the set-up itself, wherever they are killed, it says so, and then a
// rollback restores the system to the last bit.
func TestSetupFaults(t *testing.T) {
	s := newSystem(t)
	for name, c := range map[string]struct{ from, args string }{
		"rollback": {s.after, "rollback --root root"},
		"set-up":   {s.before, "--root root --yes --config ../conf"},
	} {
		try := func(t *testing.T) (*exec.Cmd, func(*faulttest.Result)) {
			dir, err := os.MkdirTemp(filepath.Dir(s.before), "try-")
			check(t, err)
			check(t, exec.Command("cp", "-a", c.from, filepath.Join(dir, "root")).Run())
			cmd := exec.Command("setup_ima_digest_lists", strings.Fields(c.args)...)
			cmd.Dir = dir
			return cmd, func(r *faulttest.Result) {
				failed := r.Code == command.ExitFailed || r.Code == command.ExitIO
				if failed != strings.Contains(r.Stderr, "setup_ima_digest_lists: error: ") || !failed && r.Code > 0 {
					t.Errorf("%s: exit %d\n%s", r.Struck, r.Code, r.Stderr)
				}
				back := exec.Command("setup_ima_digest_lists", "rollback", "--root", "root")
				back.Dir = dir
				out, err := back.CombinedOutput()
				if code := back.ProcessState.ExitCode(); code != command.ExitOK && code != command.ExitNothing {
					t.Errorf("%s: exit %d\n%safterwards: %v\n%s", r.Struck, r.Code, r.Stderr, err, out)
				}
				if diff := cmp.Diff(s.was, state(t, filepath.Join(dir, "root"))); diff != "" {
					t.Errorf("%s: exit %d\n%sleft behind (-before +after):\n%s", r.Struck, r.Code, r.Stderr, diff)
				}
				check(t, os.RemoveAll(dir))
			}
		}
		t.Run(name, func(t *testing.T) { faulttest.Try(t, try, faulttest.Faults...) })
	}
}
