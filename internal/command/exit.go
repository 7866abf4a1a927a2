package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
)

// The exit codes of all tools.
const (
	ExitOK          = 0
	ExitFailed      = 1 // the check, or part of the work, failed
	ExitUsage       = 2 // the command line is wrong
	ExitIO          = 3 // input, output or environment
	ExitUnsupported = 4 // this kernel has no digest lists
	ExitNothing     = 5 // nothing to check or compare with
)

// An Error is an error that knows how the tool should exit.
type Error struct {
	Code int
	Err  error  // nil where everything was reported already
	Hint string // what to do about it, or empty
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the error without its exit code.
func (e *Error) Unwrap() error { return e.Err }

// Usagef returns an error in the command line.
func Usagef(format string, args ...any) error {
	return &Error{Code: ExitUsage, Err: fmt.Errorf(format, args...)}
}

// Failed returns the error of a run that has reported each failure itself.
func Failed() error { return &Error{Code: ExitFailed} }

// WithHint adds what the user can do about an error; err may be nil.
func WithHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Error{Code: Code(err), Err: err, Hint: hint}
}

// WithCode makes the tool exit with that code for an error; err may be nil.
func WithCode(exit int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: exit, Err: err, Hint: Hint(err)}
}

// Report prints an error as the tools do and returns the exit code.
func Report(w io.Writer, tool string, err error) int {
	if err == nil {
		return ExitOK
	}
	if !Reported(err) {
		fmt.Fprintf(w, "%s: error: %s\n", tool, OneLine(err.Error()))
	}
	if h := cmp.Or(Hint(err), Cause(err)); h != "" {
		fmt.Fprintf(w, "%s: hint: %s\n", tool, OneLine(h))
	}
	return Code(err)
}

// Code returns the exit code of an error.
func Code(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ExitIO
}

// Reported reports whether nothing is left to be said of an error.
func Reported(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Err == nil
}

// Hint returns what the user can do about an error, or "".
func Hint(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
