package listdir

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"digestlists/compact"

	"golang.org/x/sys/unix"
)

// The crash tests run transactions of this test binary under strace, which ends
// them, or lets a system call fail, at every system call in turn.

const (
	scenarioEnv = "LISTDIR_TEST_SCENARIO" // name of the scenario to run
	directory   = "LISTDIR_TEST_DIRECTORY"
	// Looking for these files marks in the trace where the transaction begins and ends.
	markBegin, markEnd = "/listdir-test-begin", "/listdir-test-end"
)

// strace(1) without -f sees the first thread only: stay on it.
func init() {
	if os.Getenv(scenarioEnv) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	if name := os.Getenv(scenarioEnv); name != "" {
		unix.Access(markBegin, 0)
		err := scenarios[name].run(os.Getenv(directory))
		unix.Access(markEnd, 0)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A scenario is a transaction and the directory it starts from.
type scenario struct {
	have, side []string // nil have: there is no directory
	run        func(dir string) error
}

var scenarios = map[string]scenario{
	"exchange": {
		have: []string{parser0, ParserLink + ">" + parser0, "0-file_list-rpm-a", "0-file_list-rpm-a.sig", "1-file_list-rpm-b", "2-file_list-rpm-c", "README"},
		side: []string{"0-file_list-rpm-a.pgp", "1-file_list-rpm-b.pgp", "2-file_list-rpm-c.pgp"},
		run: func(dir string) error {
			return transaction(dir, func(tx *Tx) error {
				s, err := tx.Stage([]byte("new"))
				if err != nil {
					return err
				}
				other, err := tx.Stage([]byte("new"))
				if err != nil {
					return err
				}
				steps := []func() error{
					func() error { return s.SetXattr("security.ima", []byte{3, 2}) },
					func() error { return s.AddSignature(Apart, ".pgp", []byte("sig")) },
					func() error { return tx.RemoveName("0-file_list-rpm-a") },
					func() error { return tx.SetXattr("2-file_list-rpm-c", "security.ima", []byte{3, 2}) },
					func() error { _, err := tx.Insert(fileName(0, "x"), s); return err },
					func() error {
						_, err := tx.Insert(Name{Type: compact.TypeParser, Format: "compact", Label: "x"}, other)
						return err
					},
				}
				for _, step := range steps {
					if err := step(); err != nil {
						return err
					}
				}
				return nil
			})
		},
	},
	"append": {
		have: []string{"0-file_list-rpm-a", "1-file_list-rpm-b"},
		run:  func(dir string) error { return transaction(dir, addOne) },
	},
	"first": {
		run: func(dir string) error { return transaction(dir, addOne) },
	},
	"remove": {
		have: []string{"0-file_list-rpm-a", "1-file_list-rpm-b", "2-file_list-rpm-c"},
		side: []string{"0-file_list-rpm-a.pgp", "1-file_list-rpm-b.pgp"},
		run: func(dir string) error {
			return transaction(dir, func(tx *Tx) error { return tx.Remove(compact.TypeFile, 0) })
		},
	},
}

func transaction(dir string, change func(*Tx) error) error {
	tx, err := Begin(dir, Options{Wait: -1})
	if err != nil {
		return err
	}
	defer tx.Close()
	if err := change(tx); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

func addOne(tx *Tx) error {
	s, err := tx.Stage([]byte("new"))
	if err == nil {
		_, err = tx.Append(fileName(0, "x"), s)
	}
	return err
}

// prepare makes the start of a scenario and returns the list directory.
func (s scenario) prepare(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "etc", "lists")
	if s.have != nil {
		fill(t, dir, s.have...)
	}
	if s.side != nil {
		fill(t, ApartDir(dir), s.side...)
	}
	return dir
}

// command returns the scenario in a process of its own, under strace.
func (s scenario) command(t testing.TB, name, dir string, options ...string) *exec.Cmd {
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command("strace", append(options, self)...)
	cmd.Env = append(os.Environ(), scenarioEnv+"="+name, directory+"="+dir, "GOGC=off", "GOMAXPROCS=1")
	return cmd
}

// outcome is what a scenario leaves: lists with their security.ima, and the
// signatures apart.
type outcome struct{ lists, side []string }

func look(t testing.TB, dir string) outcome {
	o := outcome{lists: state(t, dir), side: state(t, ApartDir(dir))}
	for i, s := range o.lists {
		file, _, _ := strings.Cut(s, "=")
		if ParseName(file); !strings.Contains(s, ">") && attribute(t, filepath.Join(dir, file), "security.ima") != nil {
			o.lists[i] += " signed"
		}
	}
	return o
}

// Changing calls are those before which a crash makes a difference.
var changing = []string{
	"openat", "mkdirat", "write", "linkat", "symlinkat", "renameat", "renameat2", "unlinkat",
	"rmdir", "fsync", "syncfs", "fsetxattr", "fchmod", "fchown", "mkdir", "fchmodat",
}

// Failing calls have errors that a program can meet.
var failing = append([]string{
	"getdents64", "fstat", "newfstatat", "flock", "faccessat2", "read", "readlinkat", "flistxattr",
	"fgetxattr",
}, changing...)

// A point is the Nth call of one kind in the process.
type point struct {
	call string
	n    int
}

// points traces one run, and returns the calls that are part of the transaction
// and the state after it.
func (s scenario) points(t *testing.T, name string) ([]point, outcome) {
	dir := s.prepare(t)
	log := filepath.Join(t.TempDir(), "trace")
	cmd := s.command(t, name, dir, "-o", log, "-e", "trace=?faccessat,?access,"+strings.Join(failing, ","))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	trace, err := os.ReadFile(log)
	must(t, err)
	count := make(map[string]int)
	var all []point
	inside := false
	for line := range strings.Lines(string(trace)) {
		call, _, ok := strings.Cut(line, "(")
		switch {
		case !ok:
		case strings.Contains(line, markBegin):
			inside = true
		case strings.Contains(line, markEnd):
			inside = false
		default:
			count[call]++
			if inside {
				all = append(all, point{call, count[call]})
			}
		}
	}
	if len(all) < 20 {
		t.Fatalf("the trace has only %d calls", len(all))
	}
	return all, look(t, dir)
}

// each runs a check for all points on all processors.
func each(points []point, check func(point)) {
	work := make(chan point)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for p := range work {
				check(p)
			}
		})
	}
	for _, p := range points {
		work <- p
	}
	close(work)
	wg.Wait()
}

// includes reports whether all signatures that belong to a state are there.
func includes(have, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}

// Killed before any system call, a transaction leaves the old or the new state,
// with all signatures of the lists, and the next one works and cleans up.
func TestKilled(t *testing.T) {
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			points, after := s.points(t, name)
			before := look(t, s.prepare(t))
			points = slices.DeleteFunc(points, func(p point) bool { return !slices.Contains(changing, p.call) })
			each(points, func(p point) {
				dir := s.prepare(t)
				cmd := s.command(t, name, dir, "-o", "/dev/null", "-e", "trace="+p.call,
					"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", p.call, p.n))
				if out, err := cmd.CombinedOutput(); err == nil {
					t.Errorf("%v: was not killed: %s", p, out)
				}
				got := look(t, dir)
				old := slices.Equal(got.lists, before.lists)
				switch {
				case !old && !slices.Equal(got.lists, after.lists):
					t.Errorf("%v: neither old nor new: %q", p, got.lists)
				case old && !includes(got.side, before.side), !old && !includes(got.side, after.side):
					t.Errorf("%v: old %v, but signatures %q", p, old, got.side)
				}
				if old {
					if err := s.run(dir); err != nil {
						t.Errorf("%v: next run: %v", p, err)
					}
					if got := look(t, dir); !slices.Equal(got.lists, after.lists) || !slices.Equal(got.side, after.side) {
						t.Errorf("%v: next run: %q", p, got)
					}
				} else {
					must(t, transaction(dir, func(*Tx) error { return nil }))
				}
				expectClean(t, dir, "lists.sig")
			})
		})
	}
}

// After a system call that fails, a transaction either goes on, or reports the
// error with the directory in the old or the new state; it leaves nothing else.
func TestFailing(t *testing.T) {
	full := []string{"write", "mkdirat", "linkat", "symlinkat", "renameat2", "renameat", "fsetxattr", "mkdir"}
	denied := []string{"flock", "faccessat2", "fchown", "fchmod"}
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			points, after := s.points(t, name)
			before := look(t, s.prepare(t))
			each(points, func(p point) {
				fault := "EIO"
				if slices.Contains(full, p.call) {
					fault = "ENOSPC"
				} else if slices.Contains(denied, p.call) {
					fault = "EACCES"
				}
				dir := s.prepare(t)
				cmd := s.command(t, name, dir, "-o", "/dev/null", "-e", "trace="+p.call,
					"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", p.call, fault, p.n))
				out, err := cmd.CombinedOutput()
				if _, died := err.(*exec.ExitError); err != nil && !died || bytes.Contains(out, []byte("panic")) {
					t.Errorf("%v: %v: %s", p, err, out)
				}
				got := look(t, dir)
				old, done := slices.Equal(got.lists, before.lists), slices.Equal(got.lists, after.lists)
				switch {
				case err == nil && (!done || !slices.Equal(got.side, after.side)):
					t.Errorf("%v: no error, but %q", p, got)
				case err != nil && !old && !done:
					t.Errorf("%v: neither old nor new: %q", p, got.lists)
				case err != nil && old && !slices.Equal(got.side, before.side):
					t.Errorf("%v: %s: old, but signatures %q", p, out, got.side)
				case err != nil && done && !includes(got.side, after.side):
					t.Errorf("%v: %s: new, but signatures %q", p, out, got.side)
				case err != nil && done && !bytes.Contains(out, []byte("changes are in place")):
					t.Errorf("%v: new, but %s", p, out)
				case err != nil && !bytes.Contains(out, []byte(dir)):
					t.Errorf("%v: error does not name the directory: %s", p, out)
				}
				if s.have != nil || done {
					expectClean(t, dir, "lists.sig")
				} else {
					expect(t, filepath.Dir(filepath.Dir(dir)))
				}
			})
		})
	}
}

// Where the file system cannot exchange directories, nothing happens and the
// error says why; one entry can be changed all the same.
func TestNoExchange(t *testing.T) {
	for _, errno := range []string{"EBUSY", "EXDEV", "EINVAL", "ENOSYS"} {
		for _, name := range []string{"exchange", "append", "first"} {
			s := scenarios[name]
			dir := s.prepare(t)
			cmd := s.command(t, name, dir, "-o", "/dev/null", "-e", "trace=renameat2", "-e", "inject=renameat2:error="+errno)
			out, err := cmd.CombinedOutput()
			if refused := name == "exchange" || name == "first" && errno[:2] == "EB" || name == "first" && errno[:2] == "EX"; refused {
				if err == nil || !bytes.Contains(out, []byte(ErrExchange.Error())) {
					t.Errorf("%s, %s: %v: %s", name, errno, err, out)
				}
				if s.have != nil {
					expect(t, dir, s.have...)
					expect(t, ApartDir(dir), s.side...)
					expectClean(t, dir, "lists.sig")
				} else {
					expect(t, filepath.Dir(filepath.Dir(dir)))
				}
			} else if err != nil {
				t.Errorf("%s, %s: %v: %s", name, errno, err, out)
			}
		}
	}
}
