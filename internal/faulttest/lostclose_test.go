package faulttest

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A program that has both ends of the pipe that it reads waits for itself; one that has only its own end, for others.
func TestWaitsForItself(t *testing.T) {
	for _, both := range []bool{true, false} {
		r, w, err := os.Pipe()
		check(t, err)
		defer w.Close()
		cmd := exec.Command("cat")
		cmd.Stdin, cmd.SysProcAttr = r, &syscall.SysProcAttr{Setpgid: true}
		if both {
			cmd.ExtraFiles = []*os.File{w}
		}
		check(t, cmd.Start())
		r.Close()
		got := false
		for end := time.Now().Add(time.Second); !got && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			got = waitsForItself(cmd.Process.Pid)
		}
		if got != both {
			t.Errorf("both ends %v: it waits for itself: %v", both, got)
		}
		check(t, cmd.Process.Kill())
		cmd.Wait()
	}
}
