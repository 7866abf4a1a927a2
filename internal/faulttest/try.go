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
	cmd, then := prepare(t)
	first, err := run(cmd, Fault{}, point{})
	check(t, err)
	then(first)
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			points := fault.points(first.calls)
			for _, at := range points {
				cmd, then := prepare(t)
				r, err := run(cmd, fault, at)
				check(t, err)
				if r.Struck != "" {
					then(r)
				}
			}
			t.Logf("%d of the calls %v", len(points), first.calls)
		})
	}
}
