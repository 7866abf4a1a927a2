package securityfs

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

const kernelLog = "/dev/kmsg"

// Levels of messages, as in syslog(3).
const (
	LevelWarning = 4
	LevelInfo    = 6
)

// maxLogLine is what a message may have: the kernel refuses longer ones than 976 to
// 1024 bytes, depending on its version.
const maxLogLine = 900

// A Log is the kernel's log.
type Log struct{ fd int }

// OpenLog opens the kernel's log for writing.
func OpenLog() (*Log, error) {
	fd, err := unix.Open(kernelLog, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kernelLog, err)
	}
	return &Log{fd}, nil
}

// Print writes one line. There is nobody to tell if that fails.
func (l *Log) Print(level int, line string) {
	line = strings.TrimRight(line, "\n")
	unix.Write(l.fd, fmt.Appendf(nil, "<%d>%.*s\n", level, maxLogLine, line))
}
