// Command fuzz gives the decoders of this module processor time under Go's fuzzer, and
// keeps count.
//
//	go run ./test/fuzz [-time D] [-goal D] [-targets REGEXP] [-keep]
//
// It goes down record.tsv, where the targets stand in the order in which their input is
// exposed to strangers, and runs each until it has used its share of time, or has the
// goal from all runs together: a run that was stopped is taken up by the next one. A
// target runs in slices, and the record is written after each, with processor time as the kernel
// counts it: what else the machine does makes a run longer and not its figures larger.
//
// A worker that takes more memory than -memory dies, which is a failure of the target. An
// input that fails is left in testdata/fuzz of the package, where go test tries it from
// then on; the other targets still run, and the exit code is 1.
//
// What the fuzzer finds interesting stays in the cache of the go command. With -keep,
// nothing is fuzzed: of what is in the cache, the inputs that reach code which the seeds
// of a target do not reach go to its testdata/fuzz, a few KiB for each target.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"
)

// options are those of the command line.
type options struct {
	time     time.Duration // processor time of a target in this run
	goal     time.Duration // and in all runs
	slice    time.Duration // wall time between two writes of the record
	parallel int
	memory   uint64 // MiB of address space of each process
	targets  *regexp.Regexp
	keep     bool
}

func main() {
	o := options{targets: regexp.MustCompile("")}
	flag.DurationVar(&o.time, "time", 10*time.Second, "processor `time` of each target in this run")
	flag.DurationVar(&o.goal, "goal", 0, "leave out targets that have had this much `time` in all; 0 for none")
	flag.DurationVar(&o.slice, "slice", 30*time.Second, "write the record after each `time`")
	flag.IntVar(&o.parallel, "parallel", 2, "`number` of processes that try inputs")
	flag.Uint64Var(&o.memory, "memory", 4096, "`MiB` of address space that a process may take")
	flag.Func("targets", "only targets whose name matches `regexp`", func(s string) (err error) {
		o.targets, err = regexp.Compile(s)
		return err
	})
	flag.BoolVar(&o.keep, "keep", false, "keep inputs from the cache as seeds, and fuzz nothing")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz: error:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	record, err := readRecord(recordFile)
	if err != nil {
		return err
	}
	found, err := findTargets(".")
	if err != nil {
		return err
	}
	if err := record.complete(found); err != nil {
		return err
	}
	cache, err := goEnv("GOCACHE")
	if err != nil {
		return err
	}
	failed := 0
	for i := range record {
		row := &record[i]
		if !o.targets.MatchString(row.String()) {
			continue
		}
		if err := row.run(o, cache, func() error { return record.write(recordFile) }); err != nil {
			fmt.Fprintln(os.Stderr, "fuzz: error:", err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d targets have failed", failed)
	}
	return nil
}
