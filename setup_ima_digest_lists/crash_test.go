package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"digestlists/compact"
	"digestlists/internal/faulttest"
	"digestlists/internal/hashes"
	"digestlists/internal/hosttest"
	"digestlists/internal/known"
)

// oneThread has the tool stay on the first thread, the only one that strace(1) without
// -f sees: the crash tests count its system calls.
const oneThread = "SETUP_TEST_ONE_THREAD"

func init() {
	if os.Getenv(oneThread) != "" {
		runtime.LockOSThread()
	}
}

// changing are the system calls that change something.
var changing = []string{
	"renameat", "renameat2", "unlinkat", "mkdirat", "fsync", "syncfs", "fsetxattr", "fchmod", "fchown",
	"utimensat", "ftruncate", "write", "copy_file_range", "symlinkat",
}

// A machine is a system below a root that changes when it is used.
type machine struct {
	t    *testing.T
	tool string
	root string
}

// newMachine makes one with three files, in memory, where nothing waits for a disk.
func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := hosttest.MemoryFolder(t)
	self, err := os.Executable()
	check(t, err)
	m := &machine{t: t, tool: filepath.Join(dir, "setup_ima_digest_lists"), root: filepath.Join(dir, "root")}
	check(t, os.Symlink(self, m.tool))
	m.write("/var/a", "a, first")
	m.write("/var/b", "b, first")
	m.write("/var/c", "c, first")
	return m
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	check(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(m.t, os.WriteFile(path, []byte(content), 0o644))
}

func (m *machine) read(name string) string {
	content, _ := os.ReadFile(filepath.Join(m.root, name))
	return string(content)
}

// copy makes another machine that is the same.
func (m *machine) copy(t *testing.T) *machine {
	t.Helper()
	other := newMachine(t)
	check(t, os.RemoveAll(other.root))
	out, err := exec.Command("cp", "-a", m.root, other.root).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return other
}

// args are those of a command line of the tool.
func (m *machine) args(words string) []string {
	fields := strings.Fields(words)
	return append([]string{fields[0], "--root", m.root}, fields[1:]...)
}

// run runs the tool, which has to succeed.
func (m *machine) run(words string) {
	m.t.Helper()
	if out, err := exec.Command(m.tool, m.args(words)...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s: %v\n%s", words, err, out)
	}
}

// killed runs the tool until its n-th call of a system call, or to its end if it makes
// fewer.
func (m *machine) killed(words, call string, n int) bool {
	m.t.Helper()
	strace := []string{"-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), m.tool}
	cmd := exec.Command("strace", append(strace, m.args(words)...)...)
	cmd.Env = append(os.Environ(), oneThread+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if cmd.ProcessState.ExitCode() > 0 {
		m.t.Fatalf("%s: %v\n%s", words, err, out)
	}
	return true
}

// everyCrash kills a command at each of its system calls in turn, on a copy of a machine,
// and has then done what follows. So it does where one of them fails.
func everyCrash(t *testing.T, prepared *machine, words string, then func(m *machine)) {
	t.Helper()
	var crashes atomic.Int64
	t.Run("at", func(t *testing.T) {
		for _, call := range changing {
			t.Run(call, func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					m := prepared.copy(t)
					if !m.killed(words, call, n) {
						return
					}
					crashes.Add(1)
					then(m)
				}
			})
		}
	})
	try := func(t *testing.T) (*exec.Cmd, func(*faulttest.Result)) {
		m := prepared.copy(t)
		cmd := exec.Command(m.tool, m.args(words)...)
		cmd.Dir = m.root
		return cmd, func(r *faulttest.Result) {
			if (r.Code == 0) == strings.Contains(r.Stderr, "setup_ima_digest_lists: error: ") {
				t.Errorf("%s: exit %d\n%s", r.Struck, r.Code, r.Stderr)
			}
			defer t.Logf("%s: exit %d\n%s", r.Struck, r.Code, r.Stderr) // shown if something fails
			then(m)
		}
	}
	faulttest.Try(t, try, faulttest.NoSpace, faulttest.BadDisk, faulttest.Denied, faulttest.Short)
	t.Logf("%s: killed %d times", words, crashes.Load())
	if crashes.Load() < 10 {
		t.Errorf("%s: it changes things more often", words)
	}
}

// consistent fails unless the copies are what the lists have, with nothing left half
// done.
func (m *machine) consistent(state string) {
	m.t.Helper()
	if got := strings.TrimSpace(m.read("/.digestlist_state")); got != state {
		m.t.Errorf("state %q, want %q", got, state)
	}
	lists, err := known.Read(filepath.Join(m.root, "etc/ima/digest_lists"))
	if err != nil {
		m.t.Error(err)
		return
	}
	files := 0
	err = filepath.WalkDir(filepath.Join(m.root, "backup"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum, err := hashes.Sum(compact.SHA256, content)
		if files++; err == nil && !lists.Has(compact.SHA256, sum) {
			m.t.Errorf("%s: %q is in no list", path, content)
		}
		return err
	})
	if err != nil || files < 3 {
		m.t.Errorf("%d copies, %v", files, err)
	}
	left, err := exec.Command("find", m.root, "-name", "*.new*", "-o", "-name", ".digestlist-*", "-o", "-name", "*.tmp-*").Output()
	if len(bytes.TrimSpace(left)) > 0 || err != nil {
		m.t.Errorf("left behind: %s%v", left, err)
	}
}

func TestGenerateKilled(t *testing.T) {
	t.Parallel()
	everyCrash(t, newMachine(t), "mutable -g -D /var", func(m *machine) {
		m.run("mutable -g -D /var")
		if m.read("/.digestlist_state") == "" {
			m.t.Error("no state")
		}
		// Copies without a list may be there, and are in nobody's way: what is listed is put back.
		m.run("mutable -u")
		for _, name := range []string{"a", "b", "c"} {
			m.write("/var/"+name, "changed")
		}
		m.run("mutable -r")
		if got := m.read("/var/a") + m.read("/var/b") + m.read("/var/c"); got != "a, firstb, firstc, first" {
			m.t.Errorf("put back: %q", got)
		}
		m.consistent("")
	})
}

func TestUpdateKilled(t *testing.T) {
	t.Parallel()
	prepared := newMachine(t)
	prepared.run("mutable -g -D /var")
	prepared.write("/var/a", "a, second")
	prepared.write("/var/c", "c, second")
	everyCrash(t, prepared, "mutable", func(m *machine) {
		m.run("mutable -u")
		m.consistent("replace")
		found, err := filepath.Glob(filepath.Join(m.root, "backup/*/var/*"))
		if len(found) != 3 || err != nil {
			m.t.Errorf("copies %q, %v", found, err)
		}
		for _, path := range found {
			content, err := os.ReadFile(path)
			if want := m.read("/var/" + filepath.Base(path)); string(content) != want || err != nil {
				m.t.Errorf("copy %q of %q, %v", content, want, err)
			}
		}
	})
}

func TestReplaceKilled(t *testing.T) {
	t.Parallel()
	prepared := newMachine(t)
	prepared.run("mutable -g -D /var")
	prepared.run("mutable -u")
	prepared.write("/var/a", "a, second")
	prepared.write("/var/c", "c, second")
	everyCrash(t, prepared, "mutable", func(m *machine) {
		// Each file is as it was or as it is to be.
		for name, want := range map[string][]string{
			"/var/a": {"a, first", "a, second"}, "/var/b": {"b, first"}, "/var/c": {"c, first", "c, second"},
		} {
			if got := m.read(name); !slices.Contains(want, got) {
				m.t.Errorf("%s: %q", name, got)
			}
		}
		if m.read("/.digestlist_state") != "" {
			m.run("mutable")
		}
		m.consistent("")
		if got := m.read("/var/a") + m.read("/var/b") + m.read("/var/c"); got != "a, firstb, firstc, first" {
			m.t.Errorf("put back: %q", got)
		}
		if left, _ := filepath.Glob(filepath.Join(m.root, "backup/*.orig")); len(left) != 1 {
			m.t.Errorf("backups %q", left)
		}
	})
}

// The lists of a command that only makes lists are there with their signature, or not
// at all.
func TestImmutableKilled(t *testing.T) {
	t.Parallel()
	key, err := filepath.Abs("../test/inputs/keys/rsa2048.pem")
	check(t, err)
	cert, err := filepath.Abs("../test/inputs/keys/x509_golden.der")
	check(t, err)
	words := "immutable -D /var -s -v " + key + " -x " + cert
	everyCrash(t, newMachine(t), words, func(m *machine) {
		m.run(words)
		dir := filepath.Join(m.root, "etc/ima/digest_lists")
		lists, err := filepath.Glob(filepath.Join(dir, "*"))
		if len(lists) != 2 || err != nil {
			m.t.Errorf("lists %q, %v", lists, err)
		}
		for _, path := range lists {
			if err := exec.Command("getfattr", "-n", "security.ima", path).Run(); err != nil {
				m.t.Errorf("%s is not signed: %v", path, err)
			}
		}
	})
}
