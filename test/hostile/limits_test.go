// Package hostile gives the tools inputs that nobody sends in good faith, under limits that
// the kernel enforces: each is refused in a line or two, whatever it claims to hold.
package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"digestlists/internal/hosttest"
)

const (
	// dataLimit is RLIMIT_DATA, all private memory that a process can write to. Go takes
	// it in steps of 64 MiB, of which it uses a part.
	dataLimit = 512 << 20
	// peakLimit is the resident memory at its largest: no input here that makes no list is larger than 8 MiB.
	peakLimit = 160 << 20
	// cpuLimit is RLIMIT_CPU, in seconds of processor time.
	cpuLimit = 60
	// patience is for a tool that waits for something that never comes.
	patience = 10 * time.Minute
)

// build makes the tools.
func build(t *testing.T) (bin string) {
	t.Helper()
	bin = t.TempDir()
	hosttest.Run(t, "../..", "env", "CGO_ENABLED=0", "go", "build", "-tags=urfave_cli_no_docs", "-o", bin+"/",
		"./gen_digest_lists", "./manage_digest_lists", "./upload_digest_lists", "./verify_digest_lists")
	return bin
}

// An outcome is how a tool ended.
type outcome struct {
	code   int
	stderr string
	output int // bytes of standard output
}

// fatal is what Go prints when a program is beyond saying what is wrong with its input.
var fatal = regexp.MustCompile(`(?m)^(panic|fatal error|runtime: |goroutine \d)`)

// limited runs a tool. It is an error of the test if a limit stops it, it dies, or it takes too much.
func limited(t *testing.T, bin, dir string, args ...string) outcome {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	cmd := exec.CommandContext(ctx, "prlimit", append([]string{
		fmt.Sprintf("--data=%d", dataLimit), fmt.Sprintf("--cpu=%d", cpuLimit), "--core=0", filepath.Join(bin, args[0]),
	}, args[1:]...)...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	o := outcome{cmd.ProcessState.ExitCode(), stderr.String(), stdout.Len()}
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	if o.code < 0 || fatal.MatchString(o.stderr) || ctx.Err() != nil {
		t.Errorf("%v\n%.4000s", cmd.ProcessState, o.stderr)
	}
	if peak > peakLimit {
		t.Errorf("%d MiB of memory, want at most %d", peak>>20, peakLimit>>20)
	}
	return o
}

// The test itself must be small: what a process takes when it starts another one, Linux
// counts as the other's.
func TestMain(m *testing.M) {
	code := m.Run()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil || self.Maxrss<<10 > peakLimit {
		fmt.Fprintf(os.Stderr, "the test has taken %d MiB itself: its measurements are worth nothing (%v)\n", self.Maxrss>>10, err)
		code = 1
	}
	os.Exit(code)
}
