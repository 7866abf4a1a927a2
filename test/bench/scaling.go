package main

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// The sizes that curves go through, and the cores that each point is measured on.
var (
	digestCounts = []int{1_000, 10_000, 100_000, 1_000_000}
	listCounts   = []int{100, 1_000, 10_000, 100_000}
	coreCounts   = []int{1, 2}
)

// A curve is how a job grows with what it is given.
type curve struct {
	name string
	of   string // the command, in short
	unit string // what is counted
	size []int  // how many of them
	argv func(n int) []string
	out  bool // something is made, in an empty folder
}

// curves are those of the picture.
func (b bench) curves() []curve {
	in, made := b.inputs.scaling(), filepath.Join(b.out, "made")
	return []curve{
		{"make a list", "gen_digest_lists -f ascii", "digests", digestCounts, func(n int) []string {
			return []string{b.tool("gen_digest_lists"), "-d", b.out, "-t", "file", "-o", "append", "-f", "ascii", "-i", in.checksums(n)}
		}, true},
		{"convert a list", "upload_digest_lists -o", "digests", digestCounts, func(n int) []string {
			return []string{b.tool("upload_digest_lists"), "-d", in.digests(n), "-o", made}
		}, true},
		{"attest a machine", "verify_digest_lists --measurements", "digests", digestCounts, func(n int) []string {
			return []string{
				b.tool("verify_digest_lists"), "--measurements", filepath.Join(in.machine(n), "measurements"),
				"--pcrs", filepath.Join(in.machine(n), "pcrs"), "--reference", in.known(),
			}
		}, false},
		{"verify lists", "verify_digest_lists", "lists", listCounts, func(n int) []string {
			return []string{b.tool("verify_digest_lists"), "-d", in.lists(n), "--key", in.cert()}
		}, false},
		{"convert lists", "upload_digest_lists -o", "lists", listCounts, func(n int) []string {
			return []string{b.tool("upload_digest_lists"), "-d", in.lists(n), "-o", made}
		}, true},
	}
}

// A line is what a curve took on so many cores.
type line struct {
	curve
	cores  int
	points []point
}

type point struct {
	n       int
	seconds float64 // median of the rounds
	peak    int64   // bytes
}

// measureCurves measures all points. They are not so many that one run of the picture
// takes more than some minutes.
func (b bench) measureCurves(rounds int, say func(string)) ([]line, error) {
	var lines []line
	for _, c := range b.curves() {
		for _, cores := range coreCounts {
			l := line{curve: c, cores: cores}
			for _, n := range c.size {
				say(fmt.Sprintf("%s, %d %s, %d of %d cores", c.name, n, c.unit, cores, runtime.NumCPU()))
				r, err := b.curveJob(c, cores, n).measure(rounds)
				if err != nil {
					return nil, err
				}
				l.points = append(l.points, point{n, r.seconds[0], r.peak})
			}
			lines = append(lines, l)
		}
	}
	return lines, nil
}

func (b bench) curveJob(c curve, cores, n int) job {
	run := command{argv: pinned(cores, c.argv(n))}
	contend := contender(run.run)
	if c.out {
		contend = b.intoEmpty(run)
	}
	return job{contenders: []contender{contend}, check: done, figure: milliseconds}
}

// pinned runs a program on the first cores only, as if there were no others.
func pinned(cores int, argv []string) []string {
	return append([]string{"taskset", "--cpu-list", fmt.Sprintf("0-%d", cores-1)}, argv...)
}
