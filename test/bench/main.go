// Command bench measures the tools of this module against the usual tools that
// do the same work, on the same inputs and in the same run.
//
//	go run ./test/bench [-runs N] [-jobs REGEXP] [-write FILE.md]
//	go run ./test/bench [-runs N] -curves PREFIX
//
// The inputs (2 GB of files, 1,500 packages, a database of them, 15,000 lists)
// are made once under build/bench with rpmbuild, rpm and openssl, which takes
// a few minutes, about 3 GB, and root for rpm --root. Each job then runs ours and
// its baseline in turn, once to warm the page cache and then N times; the figure is
// the median over the N rounds, so that what else the machine does hits both alike.
//
// With -curves, it measures instead how time and memory grow with the number of digests
// and of lists, on one core and on two.
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

type options struct {
	dir, bin    string
	runs        int
	only, write string
	curves      string
	inputs      bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "build/bench", "`folder` of the inputs and of what the tools make")
	flag.StringVar(&o.bin, "bin", "build/bin", "`folder` of the binaries to measure")
	flag.IntVar(&o.runs, "runs", 5, "counted `rounds` of each job")
	flag.StringVar(&o.only, "jobs", "", "measure only the jobs whose name matches `regexp`")
	flag.StringVar(&o.write, "write", "", "also write the table, as markdown, to `file`")
	flag.StringVar(&o.curves, "curves", "", "measure how times grow instead, and write `prefix`.svg and prefix.tsv")
	flag.BoolVar(&o.inputs, "inputs", false, "make the inputs and measure nothing")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	wanted, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	if o.inputs {
		return makeInputs(o.dir, o.curves != "")
	}
	if err := makeInputsElsewhere(o); err != nil {
		return err
	}
	if load := loadAverage(); load > 0.5 {
		fmt.Fprintf(os.Stderr, "bench: hint: the load average is %.1f: what else runs here makes the figures vary\n", load)
	}
	b, err := newBench(o.dir, o.bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.clean()) }()
	if o.curves != "" {
		return b.writeCurves(o.curves, o.runs)
	}
	return b.writeTable(o, wanted)
}

// writeTable measures the jobs that are wanted.
func (b bench) writeTable(o options, wanted *regexp.Regexp) (err error) {
	var results []result
	for _, j := range b.jobs() {
		if !wanted.MatchString(j.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "bench:", j.name)
		r, failed := j.measure(o.runs)
		if failed != nil {
			failed = fmt.Errorf("%s: %w", j.name, failed)
			fmt.Fprintln(os.Stderr, "bench: error:", failed)
			err, r = errors.Join(err, failed), result{job: j, err: failed}
		}
		results = append(results, r)
	}
	err = errors.Join(err, printTable(os.Stdout, results))
	if o.write != "" {
		err = errors.Join(err, writeReport(o.write, results, o.runs))
	}
	return err
}

// makeInputsElsewhere makes the inputs in a process of its own: Linux counts
// the peak memory of the process that starts a program as the program's, so
// this one has to stay small.
func makeInputsElsewhere(o options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-dir", o.dir, "-curves", o.curves, "-inputs")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
