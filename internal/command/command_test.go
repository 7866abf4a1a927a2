package command_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"digestlists/internal/command"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

func flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}},
		&cli.StringSliceFlag{Name: "input", Aliases: []string{"i"}},
		&cli.IntFlag{Name: "position", Aliases: []string{"p"}},
		&cli.BoolFlag{Name: "sign", Aliases: []string{"s"}},
		&cli.StringFlag{Name: "key", Aliases: []string{"k"}},
	}
}

// The ways in which getopt(3) lets a script write the same options.
func TestOptionForms(t *testing.T) {
	for _, line := range []string{
		"-d DIR -i a,b -i I:c -p -1 -s -k KEY add PATH",
		"-dDIR -ia,b -iI:c -p-1 -skKEY add PATH",
		"add -dDIR PATH -i a,b -sk KEY -i I:c -p -1",
		"--dir DIR --input=a,b --input I:c --position -1 --sign --key=KEY -- add PATH",
	} {
		t.Run(line, func(t *testing.T) {
			var got string
			app := command.New("tool", "test")
			app.Flags = flags()
			app.Action = func(c *cli.Context) error {
				got = fmt.Sprintf("%s %q %d %v %s %q", c.String("dir"), c.StringSlice("input"), c.Int("position"),
					c.Bool("sign"), c.String("key"), c.Args().Slice())
				return nil
			}
			var stderr bytes.Buffer
			if code := app.Run(append([]string{"tool"}, strings.Fields(line)...), io.Discard, &stderr); code != 0 {
				t.Fatalf("exit %d: %s", code, stderr.String())
			}
			if diff := cmp.Diff(`DIR ["a,b" "I:c"] -1 true KEY ["add" "PATH"]`, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		args   []string
		code   int
		stderr string
	}{
		{"success", nil, nil, 0, ""},
		{"environment", os.ErrNotExist, nil, 3, "tool: error: file does not exist\n"},
		{"usage", command.Usagef("no %s", "dir"), nil, 2, "tool: error: no dir\n"},
		{"reported", command.Failed(), nil, 1, ""},
		{
			"hint", command.WithHint(command.WithCode(4, errors.New("no")), "try"), nil, 4,
			"tool: error: no\ntool: hint: try\n",
		},
		{
			"no space", &os.PathError{Op: "write", Path: "list", Err: syscall.ENOSPC}, nil, 3,
			"tool: error: write list: no space left on device\ntool: hint: make room on that file system (df and df -i show how much it has)\n",
		},
		{
			"read-only", fmt.Errorf("key: %w", &os.PathError{Op: "mkdir", Path: "keys", Err: syscall.EROFS}), nil, 3,
			"tool: error: key: mkdir keys: read-only file system\ntool: hint: mount -o remount,rw that file system\n",
		},
		{
			"hint of its own", command.WithHint(syscall.EROFS, "try"), nil, 3,
			"tool: error: read-only file system\ntool: hint: try\n",
		},
		{
			"wrapped", fmt.Errorf("list: %w", command.WithCode(1, errors.New("bad"))), nil, 1,
			"tool: error: list: bad\n",
		},
		{
			"unknown option", nil,
			[]string{"-z"},
			2,
			"tool: error: flag provided but not defined: -z\ntool: hint: tool --help lists the options\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := command.New("tool", "test")
			app.Flags = flags()
			app.Action = func(*cli.Context) error { return tt.err }
			var stdout, stderr bytes.Buffer
			if code := app.Run(append([]string{"tool"}, tt.args...), &stdout, &stderr); code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			if diff := cmp.Diff(tt.stderr, stderr.String()); diff != "" {
				t.Error(diff)
			}
			if stdout.Len() != 0 {
				t.Errorf("errors belong on stderr, stdout has %q", stdout.String())
			}
		})
	}
}

func TestStrayArgumentIsRefused(t *testing.T) {
	app := command.New("tool", "test")
	app.Action = command.NoArguments
	var stderr bytes.Buffer
	if code := app.Run([]string{"tool", "stray"}, io.Discard, &stderr); code != command.ExitUsage {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}

// A command takes its own options in all their forms; options before it are refused
// rather than forgotten.
func TestCommands(t *testing.T) {
	for line, want := range map[string]string{
		"make key -dDIR -s FILE":  `DIR true ["FILE"]`,
		"make key FILE --dir=DIR": `DIR false ["FILE"]`,
		"-d DIR":                  "tool",
		"-d DIR make key":         "exit 2",
		"make -d DIR key":         "exit 2",
		"make":                    "exit 2",
		"make lock":               "exit 2",
		"make key -z":             "exit 2",
	} {
		got := ""
		app := command.New("tool", "test")
		app.Flags = flags()
		app.Action = func(*cli.Context) error { got = "tool"; return nil }
		app.SetCommands(&cli.Command{Name: "make", Subcommands: []*cli.Command{{
			Name: "key", Flags: flags(),
			Action: func(c *cli.Context) error {
				got = fmt.Sprintf("%s %v %q", c.String("dir"), c.Bool("sign"), c.Args().Slice())
				return nil
			},
		}}})
		var stderr bytes.Buffer
		if code := app.Run(append([]string{"tool"}, strings.Fields(line)...), io.Discard, &stderr); code != 0 {
			got = fmt.Sprint("exit ", code)
		}
		if got != want {
			t.Errorf("%s: %s, want %s; %s", line, got, want, stderr.String())
		}
	}
}

// Names of files cannot make up lines of messages, or send commands to the terminal.
func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain, \"quoted\" \\ ü": "plain, \"quoted\" \\ ü",
		"a\nb\tc":                `a\nb\tc`,
		"\x1b[2J\x7f":            `\x1b[2J\x7f`,
		"\xff\xfe":               `\xff\xfe`,
		"\u202etxt":              `\u202etxt`,
	} {
		if got := command.OneLine(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	var out strings.Builder
	command.Report(&out, "tool", errors.New("list\ntool: error: x"))
	if got := out.String(); got != "tool: error: list\\ntool: error: x\n" {
		t.Errorf("%q", got)
	}
}
