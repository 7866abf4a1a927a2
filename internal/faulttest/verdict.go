package faulttest

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"

	"digestlists/internal/command"
)

// temporary is a call that is about a temporary folder.
var temporary = regexp.MustCompile(`/tmp(/|$)`)

// verdict says what a command did wrong that met a fault; "" for nothing.
func (s *subject) verdict(fault Fault, got tree, r *Result) string {
	if temporary.MatchString(r.Struck) {
		got = got.finished() // what could not be removed from a temporary folder is for who cleans there
	}
	switch {
	case fault.kill:
		got = got.finished()
		if got.is(s.old, s.new) || got.is(s.new, s.old) || s.EachFact && got.mixesFacts(s.old, s.new) {
			return ""
		}
	case r.Code == command.ExitOK:
		d := got.diff(s.new)
		if d != "" || s.Check && fault.errno != 0 && !strings.HasPrefix(r.Struck, string(closing)) {
			return "as if all was well:\n" + d
		}
	default:
		if c := s.complaint(r, fault); c != "" {
			return c
		}
		if strings.Contains(r.Stderr, "changes are in place") && got.is(s.new, s.old) {
			return ""
		}
	}
	if s.InParts && r.Code == command.ExitFailed && (got.names() == s.old.names() || got.names() == s.new.names()) {
		return ""
	}
	if maps.Equal(got, s.old) || maps.Equal(got, s.new) || s.EachFile && got.mixes(s.old, s.new) {
		return ""
	}
	return "neither the old state\n" + got.diff(s.old) + "\nnor the new one\n" + got.diff(s.new)
}

// afterwards says what was wrong with the run after one that was killed.
func (s *subject) afterwards(killed, got tree, r *Result) string {
	begun := !killed.finished().is(s.old, s.new)
	switch {
	case got.staging() != "":
		return "then there is still " + got.staging()
	case begun && r.Code == s.Again:
		return ""
	case r.Code != command.ExitOK:
		return fmt.Sprintf("then exit %d: %s", r.Code, r.Stderr)
	case !begun && !maps.Equal(got.finished(), s.new):
		return "then the state is not the new one:\n" + got.finished().diff(s.new)
	}
	return ""
}

// complaint says what is wrong with the messages of a failed command.
func (s *subject) complaint(r *Result, fault Fault) string {
	tool := filepath.Base(s.Command[0])
	errors := 0
	for line := range strings.Lines(r.Stderr) {
		switch {
		case strings.HasPrefix(line, tool+": error: "):
			errors++
		case !strings.HasPrefix(line, tool+": "):
			return fmt.Sprintf("a line %q", line)
		}
	}
	printed := s.InParts && r.Code == command.ExitFailed && errors == 0 && fault.errno != 0
	switch {
	case printed && strings.Contains(r.Stdout, fault.errno.Error()):
	case errors != 1:
		return fmt.Sprintf("%d lines with errors", errors)
	case r.Code == command.ExitUsage:
		return "not the command line is wrong"
	case s.Hidden != nil && s.Hidden.MatchString(r.Stderr):
	case fault.errno != 0 && !strings.Contains(r.Stderr, fault.errno.Error()):
		return fmt.Sprintf("it does not say %q", fault.errno.Error())
	}
	return ""
}
