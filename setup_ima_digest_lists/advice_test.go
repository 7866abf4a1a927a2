package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// Every command, and the tool without one, gives advice on whatever it ends with.
func TestEveryCommandAdvises(t *testing.T) {
	odd := errors.New("odd")
	actions := 0
	var fail func(list []*cli.Command)
	fail = func(list []*cli.Command) {
		for _, c := range list {
			if actions++; c.Action != nil {
				c.Action = func(*cli.Context) error { return odd }
			}
			fail(c.Subcommands)
		}
	}
	all := commands()
	fail(all)
	root := advised("tool", func(*cli.Context) error { return odd }, all)
	var check func(name string, action cli.ActionFunc, below []*cli.Command)
	check = func(name string, action cli.ActionFunc, below []*cli.Command) {
		if action != nil {
			if hint := command.Hint(action(nil)); !strings.HasSuffix(hint, name+" --help says what this needs") {
				t.Errorf("%s: hint %q", name, hint)
			}
		}
		for _, c := range below {
			check(name+" "+c.Name, c.Action, c.Subcommands)
		}
	}
	check("tool", root, all)
	if actions < 20 {
		t.Errorf("only %d commands", actions)
	}
}

func TestAdvise(t *testing.T) {
	for want, err := range map[string]error{
		"make room on that file system":   fmt.Errorf("copy: %w", unix.ENOSPC),
		"run it as root":                  unix.EACCES,
		"chmod go-w":                      fmt.Errorf("%w: %w", listdir.ErrWritable, unix.EPERM),
		"tool --help lists what it takes": command.Usagef("what"),
		"man setup_ima_digest_lists has":  command.WithCode(command.ExitUsage, setup.ErrConfig),
		"of its own":                      command.WithHint(unix.ENOSPC, "of its own"),
		"setup_ima_digest_lists preflight looks for what is amiss": io.ErrNoProgress,
	} {
		got := advise("tool", err)
		if hint := command.Hint(got); !strings.HasPrefix(hint, want) {
			t.Errorf("%v: hint %q, want %q", err, hint, want)
		}
		if !errors.Is(got, err) || command.Code(got) != command.Code(err) || got.Error() != err.Error() {
			t.Errorf("%v: became %v", err, got)
		}
	}
	if advise("tool", nil) != nil {
		t.Error("advice on nothing")
	}
	if err := advise("tool", command.Failed()); command.Hint(err) != "" {
		t.Errorf("what has been reported: hint %q", command.Hint(err))
	}
}
