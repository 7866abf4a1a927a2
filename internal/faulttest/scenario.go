package faulttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"digestlists/internal/evm"
	"digestlists/internal/hosttest"
)

// A Scenario is a command that changes files below the folder that it runs in.
type Scenario struct {
	Old     string   // a shell script that makes the folder as the command finds it; $DATA in it is test/inputs
	Command []string // with paths relative to the folder
	Env     []string
	// Apart is for a command that works with keyrings: it has some of its own, in a user namespace.
	Apart bool
	// EachFile is for a command that works on one file after the other: each is as it was or as it is to be, whatever the
	// others are.
	EachFile bool
	// EachFact is for one that sets several attributes of a file one after the other: a killed run has set some.
	EachFact bool
	// InParts is for a command that does the rest where a part of its work fails, and exits with 1: what is in the files is
	// then for other tests, but there are none besides. The reason may be part of what it prints.
	InParts bool
	// Check is for a command that only looks: what it cannot read is not good.
	Check bool
	// Again is the exit code of the command where it has done its work already.
	Again int
	// Random are the paths of files whose content is another one each time: only that they are there counts.
	Random *regexp.Regexp
	// Hidden are messages of a library that does not pass on what the system said.
	Hidden *regexp.Regexp
}

// A subject is a scenario with the folder to copy and the two states that there may be.
type subject struct {
	Scenario
	template string
	dir      string // where the command runs: always the same, since paths may be part of what it writes
	old, new tree
	calls    map[kind]int
}

// Test runs the command with each of the faults at each of its calls, on a copy of the folder, and fails unless
//   - the folder is then in the old or the new state, and nothing is left over but by a killed run;
//   - a command that fails says so, in one line that names the fault, and one that does not fail has done its work;
//   - the command works afterwards, and takes away what a killed one left.
func (s Scenario) Test(t *testing.T, faults ...Fault) {
	t.Helper()
	sub := &subject{Scenario: s, template: hosttest.MemoryFolder(t), dir: filepath.Join(hosttest.MemoryFolder(t), "x")}
	data, err := filepath.Abs("../test/inputs")
	check(t, err)
	prepare := exec.Command("sh", "-euc", s.Old)
	prepare.Dir, prepare.Env = sub.template, append(os.Environ(), "DATA="+data)
	if out, err := prepare.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sub.withoutFaults(t)
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) { sub.test(t, fault) })
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// withoutFaults sees what is to come of the command.
func (s *subject) withoutFaults(t *testing.T) {
	t.Helper()
	s.copyFolder(t)
	s.old = s.look(t, s.dir)
	first := s.runAnew(t, Fault{}, counted)
	if first.Code != 0 {
		t.Fatalf("without a fault: exit %d\n%s", first.Code, first.Stderr)
	}
	s.new, s.calls = s.look(t, s.dir), first.calls
	if next := s.run(t); next.Code != s.Again {
		t.Errorf("the second time: exit %d, want %d\n%s", next.Code, s.Again, next.Stderr)
	}
}

func (s *subject) test(t *testing.T, fault Fault) {
	points := fault.points(s.calls)
	for _, at := range points {
		r := s.runAnew(t, fault, at)
		// Where there are several threads, a run may have fewer calls than another.
		if r.Struck != "" || r.Code != 0 {
			s.judge(t, fault, r)
		}
	}
	t.Logf("%d of the calls %v", len(points), s.calls)
}

func (s *subject) copyFolder(t *testing.T) {
	t.Helper()
	check(t, os.RemoveAll(s.dir))
	if out, err := exec.Command("cp", "-a", s.template, s.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check(t, copyAttribute(s.template, s.dir, evm.AttributeName))
}

// runAnew runs the command on a new folder.
func (s *subject) runAnew(t *testing.T, fault Fault, at point) *Result {
	t.Helper()
	prepare := func() *exec.Cmd {
		s.copyFolder(t)
		return s.command()
	}
	return runAnew(t, prepare, fault, at)
}

// run runs the command on what is there, without a fault.
func (s *subject) run(t *testing.T) *Result {
	t.Helper()
	r, err := run(s.command(), Fault{}, ignored)
	check(t, err)
	return r
}

func (s *subject) command() *exec.Cmd {
	words := s.Command
	if s.Apart {
		// Not by SysProcAttr.UidMappings: package syscall then writes to the new process without telling the
		// scheduler, and where that call waits to be judged, the judge may never be given a processor.
		words = append([]string{"unshare", "--map-root-user", "--"}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.Env...)
	return cmd
}

// look reads the state of a folder.
func (s *subject) look(t *testing.T, dir string) tree {
	t.Helper()
	found, err := lookAt(dir)
	check(t, err)
	for path := range found {
		if s.Random != nil && s.Random.MatchString(path) {
			found[path] = "random"
		}
	}
	return found
}

// judge fails the test if the command did not do what it should when it met the fault.
func (s *subject) judge(t *testing.T, fault Fault, r *Result) {
	t.Helper()
	got := s.look(t, s.dir)
	problem := s.verdict(fault, got, r)
	if problem == "" && fault.kill {
		next := s.run(t)
		problem = s.afterwards(got, s.look(t, s.dir), next)
	}
	if problem != "" {
		t.Errorf("%s at %s: exit %d: %s\n%s", fault.name, r.Struck, r.Code, problem, r.Stderr)
	}
}
