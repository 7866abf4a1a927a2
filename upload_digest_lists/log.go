package main

import (
	"bytes"
	"io"

	"digestlists/internal/securityfs"
)

// logLines is how many lines of a run go to the kernel's log, the last one not
// counted: the kernel takes ten from a program within five seconds and drops others.
const logLines = 8

// messages is where errors and warnings go: to standard error, and at boot, where
// nobody may read that, to the kernel's log as well.
type messages struct {
	stderr io.Writer
	kernel *securityfs.Log // nil: not there
	lines  int             // that went to the kernel's log
}

// openKernelLog is called before lists are loaded, since nothing may be opened then.
// Without a log, standard error is all there is.
func (m *messages) openKernelLog() {
	if m.kernel == nil {
		m.kernel, _ = securityfs.OpenLog()
	}
}

// Write takes whole lines.
func (m *messages) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if m.lines++; m.kernel != nil && m.lines <= logLines {
			m.kernel.Print(securityfs.LevelWarning, string(line))
		}
	}
	return m.stderr.Write(p)
}

// summary is the last line of the kernel's log. It gets there however many came
// before, and that all went well is said nowhere else.
func (m *messages) summary(failed bool, line string) {
	level := securityfs.LevelInfo
	if failed {
		level = securityfs.LevelWarning
	}
	if m.kernel != nil {
		m.kernel.Print(level, line)
	}
}
