package stock

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

// A system is a folder with a system that systemd boots in a container.
type system struct {
	root string
}

// reportUnit writes down how the service ended when all else has started, and ends the
// system.
const reportUnit = `[Unit]
After=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c "journalctl -b --no-pager -u setup-ima-digest-lists >/report; systemctl show -P Result -P ConditionResult setup-ima-digest-lists >>/report; systemctl --no-block poweroff"
`

// newSystem makes one with the tool, its unit where make install puts it, and reportUnit.
func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{filepath.Join(t.TempDir(), "root")}
	hosttest.Run(t, ".", "./debian", s.root, "attr", "busybox-static", "mount", "systemd")
	build := exec.Command("go", "build", "-o", filepath.Join(s.root, "usr/bin")+"/", "../../setup_ima_digest_lists")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hosttest.Shell(t, "../../systemd", "install -D -m 0644 -t "+s.root+"/usr/lib/systemd/system setup-ima-digest-lists.service")
	report := filepath.Join(s.root, "etc/systemd/system/report.service")
	if err := os.WriteFile(report, []byte(reportUnit), 0o644); err != nil {
		t.Fatal(err)
	}
	hosttest.Shell(t, s.root, `
		ln -sf ../setup-ima-digest-lists.service usr/lib/systemd/system/sysinit.target.wants/
		mkdir -p etc/systemd/system/multi-user.target.wants
		ln -s ../report.service etc/systemd/system/multi-user.target.wants/
		: >etc/machine-id`)
	return s
}

// boot runs the system until it ends, and returns its report, if it came to that.
func (s *system) boot(t *testing.T, exit int) (report string) {
	t.Helper()
	os.Remove(filepath.Join(s.root, "report"))
	cmd := exec.Command("systemd-nspawn", "--register=no", "--keep-unit", "--machine=stock", "--directory="+s.root,
		"/usr/lib/systemd/systemd", "systemd.unit=multi-user.target")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exit {
		t.Fatalf("the system ended with %v, want exit code %d\n%s", err, exit, out)
	}
	text, _ := os.ReadFile(filepath.Join(s.root, "report"))
	return string(text)
}

// rebooted is the exit code of systemd-nspawn for a system that wants to be booted again.
const rebooted = 133

// TestServiceAtBoot boots a system three times, as mutable files need it: the service copies
// files again that have changed, then puts the copies in their place and has the system
// boot again, and does nothing after that.
func TestServiceAtBoot(t *testing.T) {
	s := newSystem(t)
	hosttest.Shell(t, s.root, `
		mkdir -p var/lib/data && echo first >var/lib/data/a && echo first >var/lib/data/b
		usr/bin/setup_ima_digest_lists mutable --root . -g -D /var/lib/data
		[ $(cat .digestlist_state) = update ]
		echo second >var/lib/data/a`)
	report := s.boot(t, 0)
	for _, part := range []string{"]: copied /var/lib/data/a\n", "]: next: sign what changed (mutable ", "\nsuccess\nyes\n"} {
		if !strings.Contains(report, part) {
			t.Errorf("the first boot does not report %q:\n%s", part, report)
		}
	}
	if strings.Contains(report, "copied /var/lib/data/b") {
		t.Errorf("copied a file that was the same:\n%s", report)
	}
	// What is written now is to be lost.
	hosttest.Shell(t, s.root, `
		[ $(cat .digestlist_state) = replace ]
		[ $(cat backup/*/var/lib/data/a) = second ]
		echo third >var/lib/data/a; rm var/lib/data/b`)
	if report := s.boot(t, rebooted); report != "" {
		t.Errorf("the second boot went on to the end:\n%s", report)
	}
	hosttest.Shell(t, s.root, `
		[ "$(cat var/lib/data/a var/lib/data/b)" = "$(printf 'second\nfirst')" ]
		[ ! -e .digestlist_state ]
		[ -d backup/*.orig ]
		echo fourth >var/lib/data/a`)
	if report := s.boot(t, 0); !strings.HasSuffix(report, "\nno\n") {
		t.Errorf("the third boot:\n%s", report)
	}
	if got := string(hosttest.Read(t, filepath.Join(s.root, "var/lib/data/a"))); got != "fourth\n" {
		t.Errorf("a file that was written to later: %q", got)
	}
}
