// Package directories has what the tools do with list directories that somebody has put anything into, and with others
// that are at work in the same one.
package directories

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bin has all tools.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "tools"); err != nil {
		panic(err)
	}
	if err := os.Chmod(bin, 0o755); err != nil { // also for others
		panic(err)
	}
	args := []string{"build", "-o", bin + "/"}
	for _, name := range []string{"gen", "upload", "verify", "manage", "setup_ima"} {
		args = append(args, "../../"+name+"_digest_lists")
	}
	build := exec.Command("go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		os.Stderr.Write(out)
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(bin)
	os.Exit(code)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shell runs a script in a folder. $DATA in it is test/inputs.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	data, err := filepath.Abs("../inputs")
	check(t, err)
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "DATA="+data, "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// A result is what became of a tool.
type result struct {
	code           int
	stdout, stderr string
}

// memory is how much a tool may take, in bytes.
const memory = 400 << 20

// run runs a tool in a folder, and fails the test if it hangs, takes too much memory, panics, or says anything that is
// not a line of its own.
func run(t *testing.T, dir, words string, as ...uint32) result {
	t.Helper()
	const limit = 2 * time.Minute // on a machine with other work
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	args := strings.Fields(words)
	cmd := exec.CommandContext(ctx, filepath.Join(bin, args[0]), args[1:]...)
	cmd.Dir = dir
	if len(as) > 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as[0], Gid: as[0]}}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v, %v", words, err, ctx.Err())
	}
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, args[0]+": ") {
			t.Errorf("%s: a line %q", words, line)
		}
	}
	if used := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; used > memory>>10 {
		t.Errorf("%s: %d MiB of memory", words, used>>10)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
