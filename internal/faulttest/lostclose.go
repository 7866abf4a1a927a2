package faulttest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// errLostClose is a hang that is our doing. A shell that has started a command substitution closes the pipe's end for
// writing, and reads. If its child has ended by then, SIGCHLD interrupts the close(2) that waits for the judge, which
// without one it never does; the shell goes on, and waits for itself. The run says nothing and has to be made again.
var errLostClose = errors.New("a close was interrupted while it waited to be judged")

// attempts are how often a run is made at the most. One in thousands loses a close.
const attempts = 3

// runAnew runs what prepare makes each time, again where a close was lost.
func runAnew(t *testing.T, prepare func() *exec.Cmd, fault Fault, at point) *Result {
	t.Helper()
	for n := 1; ; n++ {
		r, err := run(prepare(), fault, at)
		if errors.Is(err, errLostClose) && n < attempts {
			continue
		}
		check(t, err)
		return r
	}
}

// waitsForItself reports whether a process of a group reads from a pipe that it has open for writing, too.
func waitsForItself(group int) bool {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if of, err := unix.Getpgid(pid); err == nil && of == group && readsOwnPipe(folder) {
			return true
		}
	}
	return false
}

// readsOwnPipe looks at /proc/PID/syscall: the number of the call that a process is in, and its arguments.
func readsOwnPipe(folder string) bool {
	call, err := os.ReadFile(filepath.Join(folder, "syscall"))
	if err != nil {
		return false
	}
	var nr, fd int
	if _, err := fmt.Sscanf(string(call), "%d 0x%x", &nr, &fd); err != nil || nr != unix.SYS_READ {
		return false
	}
	pipe, err := os.Readlink(filepath.Join(folder, "fd", strconv.Itoa(fd)))
	if err != nil || !strings.HasPrefix(pipe, "pipe:") {
		return false
	}
	ends, _ := filepath.Glob(filepath.Join(folder, "fd", "*"))
	for _, end := range ends {
		info, err := os.Lstat(end)
		if err != nil || info.Mode()&0o200 == 0 { // not open for writing
			continue
		}
		if link, err := os.Readlink(end); err == nil && link == pipe {
			return true
		}
	}
	return false
}
