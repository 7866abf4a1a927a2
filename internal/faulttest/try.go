package faulttest

import (
	"os/exec"
	"testing"
)

// Try runs a program with each of the faults at each of its calls, for what a Scenario cannot tell. prepare makes what
// the program works on, of which the folder that it runs in counts, and says what looks at it afterwards. The first run
// meets no fault.
func Try(t *testing.T, prepare func(t *testing.T) (cmd *exec.Cmd, then func(r *Result)), faults ...Fault) {
	t.Helper()
	start := func(t *testing.T, fault Fault, at point) (*Result, func(*Result)) {
		t.Helper()
		var then func(*Result)
		r := runAnew(t, func() (cmd *exec.Cmd) {
			cmd, then = prepare(t)
			return cmd
		}, fault, at)
		return r, then
	}
	first, then := start(t, Fault{}, counted)
	then(first)
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			points := fault.points(first.calls)
			for _, at := range points {
				if r, then := start(t, fault, at); r.Struck != "" {
					then(r)
				}
			}
			t.Logf("%d of the calls %v", len(points), first.calls)
		})
	}
}
