// Command bench measures the tools of this module against the usual tools that
// do the same work, on the same inputs and in the same run.
//
//	go run ./test/bench [-runs N] [-jobs REGEXP] [-write FILE.md]
//
// The inputs (2 GB of files, 1,500 packages, a database of them, 15,000 lists)
// are made once under build/bench with rpmbuild, rpm and openssl, which takes
// a few minutes, about 3 GB, and root for rpm --root. Each job then runs ours and
// its baseline in turn, once to warm the page cache and then N times; the figure is
// the median over the N rounds, so that what else the machine does hits both alike.
//
// A program that fails, or makes something else than it should, does not stop the other
// jobs, and the exit code is 1. A target that is missed is none: the table says so.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

func main() {
	var (
		dir    = flag.String("dir", "build/bench", "`folder` of the inputs and of what the tools make")
		bin    = flag.String("bin", "build/bin", "`folder` of the binaries to measure")
		runs   = flag.Int("runs", 5, "counted `rounds` of each job")
		only   = flag.String("jobs", "", "measure only the jobs whose name matches `regexp`")
		write  = flag.String("write", "", "also write the table, as markdown, to `file`")
		inputs = flag.Bool("inputs", false, "make the inputs and measure nothing")
	)
	flag.Parse()
	if err := run(*dir, *bin, *runs, *only, *write, *inputs); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

func run(dir, bin string, runs int, only, write string, inputsOnly bool) (err error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if inputsOnly {
		return makeInputs(dir)
	}
	if err := makeInputsElsewhere(dir); err != nil {
		return err
	}
	if load := loadAverage(); load > 0.5 {
		fmt.Fprintf(os.Stderr, "bench: hint: the load average is %.1f: what else runs here makes the figures vary\n", load)
	}
	b, err := newBench(dir, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.clean()) }()
	var results []result
	for _, j := range b.jobs() {
		if !wanted.MatchString(j.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "bench:", j.name)
		r, failed := j.measure(runs)
		if failed != nil {
			failed = fmt.Errorf("%s: %w", j.name, failed)
			fmt.Fprintln(os.Stderr, "bench: error:", failed)
			err, r = errors.Join(err, failed), result{job: j, err: failed}
		}
		results = append(results, r)
	}
	err = errors.Join(err, printTable(os.Stdout, results))
	if write != "" {
		err = errors.Join(err, writeReport(write, results, runs))
	}
	return err
}

// makeInputsElsewhere makes the inputs in a process of its own: Linux counts
// the peak memory of the process that starts a program as the program's, so
// this one has to stay small.
func makeInputsElsewhere(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-dir", dir, "-inputs")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
