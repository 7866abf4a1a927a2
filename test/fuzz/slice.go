package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// module begins the import path of each package, and so the folder of its cache.
const module = "digestlists"

// run fuzzes a target for its share of time, or keeps its seeds, and saves the record
// after each slice.
func (r *row) run(o options, cache string, save func() error) error {
	share := o.time
	if o.goal > 0 {
		share = min(share, o.goal-r.spent)
	}
	if share <= 0 && !o.keep {
		return nil
	}
	temp, err := os.MkdirTemp("", "fuzz-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	cached := filepath.Join(cache, "fuzz", module, r.folder)
	if o.keep {
		return r.keep(temp, filepath.Join(cached, r.name))
	}
	program := filepath.Join(temp, "test")
	if err := build(r.folder, program, "-fuzz="+r.name); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "fuzz: %s: %v, after %v\n", r.target, share.Round(time.Second), r.spent)
	r.version = version()
	for until := r.spent + share; r.spent < until; {
		err := r.fuzz(o, program, cached)
		if saveErr := save(); saveErr != nil {
			return saveErr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// grace is how much longer than its slice the fuzzer may run, to try its seeds and to end.
const grace = 5 * time.Minute

// fuzz runs the fuzzer for a slice.
func (r *row) fuzz(o options, program, cached string) error {
	ctx, stop := context.WithTimeout(context.Background(), o.slice+grace)
	defer stop()
	cmd := exec.CommandContext(ctx, "prlimit", "--core=0", fmt.Sprintf("--as=%d", o.memory<<20), program,
		"-test.run=^$", "-test.fuzz=^"+r.name+"$", "-test.fuzzcachedir="+cached, "-test.fuzztime="+o.slice.String(),
		"-test.fuzzminimizetime=1x", "-test.parallel="+strconv.Itoa(o.parallel))
	cmd.Dir = r.folder // seeds are read from testdata there
	// A hanging worker ends with the rest.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	// The time of workers is in it, once they were waited for.
	r.spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	r.tries += tries(out)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: did not end within %v\n%s", r.target, o.slice+grace, out)
	case err != nil && !bytes.Contains(out, lateStop):
		return fmt.Errorf("%s: %w\n%s", r.target, err, out)
	}
	return nil
}

// lateStop is all that the fuzzer says where its time was over just as it began something:
// it fails then, but nothing has failed (go.dev/issue/75804).
var lateStop = []byte("s)\n    context deadline exceeded\nFAIL\n")

var reported = regexp.MustCompile(`execs: (\d+)`)

// tries returns how many inputs the fuzzer says that it has tried: its last word counts.
func tries(out []byte) uint64 {
	all := reported.FindAllSubmatch(out, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.ParseUint(string(bytes.TrimSpace(all[len(all)-1][1])), 10, 64)
	return n
}
