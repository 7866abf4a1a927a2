// Package faulttest runs programs whose system calls fail, and looks at what they leave.
//
// The kernel asks this package about each call of the kinds that can fail (seccomp(2), user notification): unlike
// strace(1), it counts those of all threads and child processes together, and can make a write short.
package faulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limit is for programs that hang: none takes a tenth of it.
const limit = time.Minute

// A Result is what became of a program.
type Result struct {
	Code   int    // of the exit; -1 if it was killed
	Stdout string // but what went to a terminal
	Stderr string
	Struck string // the call that met the fault; "" if there was none
	calls  map[kind]int
}

// run runs a program that meets a fault. It may have a terminal for its input and output. After errLostClose it has
// to be run again, on a new folder.
func run(cmd *exec.Cmd, fault Fault, at point) (*Result, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &stderr
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = limit // for what it has started and left
	j := &judge{fault: fault, at: at, below: cmd.Dir, calls: make(map[kind]int)}
	if err := j.start(cmd); err != nil {
		return nil, err
	}
	running, lost := make(chan string, 1), make(chan bool, 1)
	hangs := time.AfterFunc(limit, func() {
		lost <- waitsForItself(cmd.Process.Pid)
		running <- processes()
		unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	})
	err := cmd.Wait()
	judging := j.end()
	hung := !hangs.Stop()
	var exit *exec.ExitError
	switch {
	case hung && <-lost:
		return nil, fmt.Errorf("%q: %w", cmd.Args, errLostClose)
	case hung:
		return nil, fmt.Errorf("%q: it hangs, struck %q: %v\n%s%s", cmd.Args, j.struck, errors.Join(judging, err), stderr.Bytes(), <-running)
	case judging != nil || err != nil && !errors.As(err, &exit):
		return nil, fmt.Errorf("%q: %w", cmd.Args, errors.Join(judging, err))
	}
	return &Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), j.struck, j.calls}, nil
}

// processes says what all processes of this machine wait for: one that hangs may wait for another.
func processes() string {
	// ps(1) itself may have to wait for a process that cannot be looked at.
	ctx, cancel := context.WithTimeout(context.Background(), limit/10)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-eo", "pid,ppid,pgid,stat,wchan:20,args").CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%sps: %v", out, err)
	}
	return string(out)
}
