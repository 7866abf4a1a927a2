package main

import (
	"fmt"
	"io"
	"strings"

	"digestlists/internal/command"
)

// A reporter prints problems as they happen and counts them.
type reporter struct {
	tool     string
	log      io.Writer
	failures int
}

// fail reports what could not be done with a list or a file, whose name the text has.
func (r *reporter) fail(name string, err error) {
	if !strings.Contains(err.Error(), name) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	r.failures++
	fmt.Fprintf(r.log, "%s: error: %v\n", r.tool, err)
}

func (r *reporter) warn(format string, args ...any) {
	fmt.Fprintf(r.log, "%s: warning: %s\n", r.tool, fmt.Sprintf(format, args...))
}

// result is the error with which a run ends that reported all failures.
func (r *reporter) result() error {
	if r.failures > 0 {
		return command.Failed()
	}
	return nil
}
