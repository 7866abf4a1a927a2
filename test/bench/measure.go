package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// sample is what one run took.
type sample struct {
	seconds float64 // wall time
	peak    int64   // bytes of resident memory, of the largest process
}

// contender does a job once.
type contender func() (sample, error)

// command is a program, its arguments and the folder it runs in ("" for this one).
type command struct {
	dir  string
	argv []string
}

// run runs the program to its end with standard output thrown away.
func (c command) run() (sample, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Stderr = c.dir, &stderr
	start := time.Now()
	err := cmd.Run()
	seconds := time.Since(start).Seconds()
	if err != nil {
		return sample{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(c.argv[0]),
			strings.Join(c.argv[1:min(len(c.argv), 8)], " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return sample{seconds: seconds, peak: usage.Maxrss << 10}, nil
}

// job is one line of the table.
type job struct {
	name       string
	prepare    func() error                 // once, before all runs; nil for nothing
	contenders []contender                  // ours is the first
	check      func() error                 // of what ours has made
	baseline   string                       // what the others run; empty if there are none
	figure     func(round []sample) float64 // of what each contender took in one round
	unit       string                       // of the figure; empty for a ratio
	target     float64                      // the figure is to be at most this
	atLeast    bool                         // no, at least this
	limit      int64                        // of our peak memory, in bytes; 0 for none
}

// result is a job that was measured.
type result struct {
	job
	err     error     // the job has failed, and there are no figures
	seconds []float64 // medians of the contenders
	figures []float64 // of the rounds
	peak    int64     // the largest of ours
}

// measure runs the job once for the page cache and then in counted rounds.
func (j job) measure(rounds int) (result, error) {
	if j.prepare != nil {
		if err := j.prepare(); err != nil {
			return result{}, err
		}
	}
	r := result{job: j}
	took := make([][]float64, len(j.contenders))
	for n := range rounds + 1 {
		samples, err := j.round()
		if err != nil {
			return result{}, err
		}
		r.peak = max(r.peak, samples[0].peak)
		if n == 0 {
			continue
		}
		r.figures = append(r.figures, j.figure(samples))
		for i, s := range samples {
			took[i] = append(took[i], s.seconds)
		}
	}
	for _, t := range took {
		r.seconds = append(r.seconds, median(t))
	}
	return r, nil
}

// round runs every contender once, and returns what each took.
func (j job) round() (samples []sample, err error) {
	for i, contend := range j.contenders {
		s, err := contend()
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
		if i > 0 {
			continue
		}
		if err := j.check(); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// met tells whether the figure and the memory are as they should be.
func (r result) met() bool {
	if r.err != nil {
		return false
	}
	enough := r.value() <= r.target
	if r.atLeast {
		enough = r.value() >= r.target
	}
	return enough && (r.limit == 0 || r.peak <= r.limit)
}

func (r result) value() float64 { return median(r.figures) }

// median returns the middle one of the values, of an even number the mean of the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
