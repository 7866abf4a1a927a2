package command

import (
	"fmt"
	"io"
	"strings"
)

// A Reporter prints the problems of a run that goes on all the same, and counts them.
type Reporter struct {
	Tool     string
	Log      io.Writer
	Hint     string // what to do about them, or ""
	Failures int
}

// Fail reports what could not be done with a list or a file, which the text names once.
func (r *Reporter) Fail(name string, err error) {
	if !strings.Contains(err.Error(), name) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	r.Problem(err)
}

// Problem reports a failure that is not of one file.
func (r *Reporter) Problem(err error) {
	r.Failures++
	fmt.Fprintf(r.Log, "%s: error: %s\n", r.Tool, OneLine(err.Error()))
}

// Warn reports what is no failure.
func (r *Reporter) Warn(format string, args ...any) {
	fmt.Fprintf(r.Log, "%s: warning: %s\n", r.Tool, OneLine(fmt.Sprintf(format, args...)))
}

// Result is the error with which a run ends that has reported all failures.
func (r *Reporter) Result() error {
	if r.Failures > 0 {
		return &Error{Code: ExitFailed, Hint: r.Hint}
	}
	return nil
}
