package command_test

import (
	"bytes"
	"errors"
	"testing"

	"digestlists/internal/command"

	"github.com/google/go-cmp/cmp"
)

func TestReporter(t *testing.T) {
	var log bytes.Buffer
	r := command.Reporter{Tool: "tool", Log: &log}
	r.Warn("%d files", 2)
	if err := r.Result(); err != nil {
		t.Errorf("a warning is a failure: %v", err)
	}
	r.Fail("list", errors.New("too long"))
	r.Fail("list", errors.New("open list: too long"))
	r.Problem(errors.New("no room"))
	want := `tool: warning: 2 files
tool: error: list: too long
tool: error: open list: too long
tool: error: no room
`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Error(diff)
	}
	if code := command.Report(&log, "tool", r.Result()); code != command.ExitFailed || r.Failures != 3 {
		t.Errorf("exit %d, %d failures", code, r.Failures)
	}
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("reported again: %s", diff)
	}
}
