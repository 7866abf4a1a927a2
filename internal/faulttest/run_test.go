package faulttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// script runs a shell script in a folder, one call of which meets a fault.
func script(t *testing.T, dir, text string, fault Fault, at point) *Result {
	t.Helper()
	cmd := exec.Command("sh", "-c", text)
	cmd.Dir = dir
	r, err := run(cmd, fault, at)
	check(t, err)
	return r
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	return string(data)
}

func TestNoFault(t *testing.T) {
	r := script(t, t.TempDir(), "echo a >a; mv a b; mkdir c; ln -s b d; echo out; ls -d missing; exit 7", Fault{}, point{})
	if r.Code != 7 || r.Stdout != "out\n" || !strings.Contains(r.Stderr, "missing") || r.Struck != "" {
		t.Errorf("%+v", r)
	}
	// Those of child processes count, and standard output does; standard error does not.
	for k, want := range map[kind]int{create: 1, write: 2, mkdir: 1, symlink: 1, unlink: 0} {
		if r.calls[k] != want {
			t.Errorf("%d calls to %s, want %d", r.calls[k], k, want)
		}
	}
}

// A program that is killed has made the calls before, and no later one; nor has the one that started it.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	r := script(t, dir, "mkdir a; mkdir b; mkdir c", Kill, point{mkdir, 2})
	if _, err := os.Stat(filepath.Join(dir, "a")); err != nil || r.Code != -1 || r.Struck != "mkdir "+filepath.Join(dir, "b") {
		t.Errorf("%+v, %v", r, err)
	}
	for _, name := range []string{"b", "c"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, fault := range []Fault{NoSpace, BadDisk, Denied} {
		dir := t.TempDir()
		r := script(t, dir, "mkdir a", fault, point{mkdir, 1})
		if !strings.Contains(strings.ToLower(r.Stderr), fault.errno.Error()) || r.Code != 1 {
			t.Errorf("%s: %+v", fault.name, r)
		}
		if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
			t.Errorf("%s: the call was made all the same", fault.name)
		}
	}
}

// A short write is made: the caller writes the rest.
func TestShort(t *testing.T) {
	dir := t.TempDir()
	r := script(t, dir, "echo abcdefgh >a", Short, point{write, 1})
	if got := content(t, filepath.Join(dir, "a")); got != "abcdefgh\n" || r.calls[write] != 2 || r.Code != 0 {
		t.Errorf("%q, %+v", got, r)
	}
}

func TestFilesOutside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "x")
	if r := script(t, t.TempDir(), "mkdir "+outside, Denied, point{mkdir, 1}); r.Code != 0 || r.Struck != "" {
		t.Errorf("%+v", r)
	}
}

// What a program does in another thread counts, too: Go changes threads all the time.
func TestThreads(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o644))
	cmd := exec.Command("go", "mod", "edit", "-go=1.20")
	cmd.Dir = dir
	r, err := run(cmd, BadDisk, point{write, 1})
	check(t, err)
	if r.Code == 0 || !strings.Contains(r.Stderr, unix.EIO.Error()) {
		t.Errorf("%+v", r)
	}
}

// Signals, of which Go sends itself many, do not disturb the judging of calls that many threads make at once.
func TestSignals(t *testing.T) {
	storm(t)
	dir := t.TempDir()
	for range 10 {
		r := script(t, dir, "for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4 5 6 7 8; do : >$i.$j; done) & done; wait", Fault{}, point{})
		if r.Code != 0 || r.Stderr != "" || r.calls[create] != 64 {
			t.Fatalf("%+v", r)
		}
	}
}

// storm sends every thread of this process signals without pause until the test ends.
func storm(t *testing.T) {
	over, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(over); <-done })
	go func() {
		defer close(done)
		for {
			threads, err := os.ReadDir("/proc/self/task")
			if err != nil {
				t.Error(err)
			}
			for _, thread := range threads {
				id, _ := strconv.Atoi(thread.Name())
				unix.Tgkill(os.Getpid(), id, unix.SIGURG) // which may have ended meanwhile
			}
			select {
			case <-over:
				return
			default:
			}
		}
	}()
}

// verdicts on a command that changes two files.
func TestVerdict(t *testing.T) {
	old, new := tree{"a": "1", "b": "1"}, tree{"a": "2", "b": "2"}
	message := func(text string) *Result { return &Result{Code: 3, Stderr: "tool: error: " + text + "\n"} }
	for name, c := range map[string]struct {
		fault    Fault
		got      tree
		r        *Result
		eachFile bool
		want     string
	}{
		"failed, old":       {NoSpace, old, message("no space left on device"), false, ""},
		"failed, new":       {NoSpace, new, message("no space left on device"), false, ""},
		"failed, between":   {NoSpace, tree{"a": "2", "b": "1"}, message("no space left on device"), false, "neither"},
		"each file":         {NoSpace, tree{"a": "2", "b": "1"}, message("no space left on device"), true, ""},
		"a file is neither": {NoSpace, tree{"a": "3", "b": "1"}, message("no space left on device"), true, "neither"},
		"a file is lost":    {NoSpace, tree{"a": "2"}, message("no space left on device"), true, "neither"},
		"something left":    {NoSpace, tree{"a": "1", "b": "1", ".a.tmp-1": "x"}, message("no space left on device"), false, "neither"},
		"no reason":         {NoSpace, old, message("failed"), false, "does not say"},
		"two lines":         {NoSpace, old, message("no space left on device\nno space"), false, "a line"},
		"silent":            {NoSpace, old, &Result{Code: 3}, false, "0 lines"},
		"not noticed":       {NoSpace, old, &Result{}, false, "as if all was well"},
		"done all the same": {NoSpace, new, &Result{}, false, ""},
		"killed, old":       {Kill, tree{"a": "1", "b": "1", ".l.new-1f/x": "x"}, &Result{Code: -1}, false, ""},
		"killed, between":   {Kill, tree{"a": "2", "b": "1"}, &Result{Code: -1}, false, "neither"},
	} {
		s := &subject{Scenario: Scenario{Command: []string{"tool"}, EachFile: c.eachFile}, old: old, new: new}
		if got := s.verdict(c.fault, c.got, c.r); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
