// Package scripttest runs the command line tests of the tools: testscript with a
// few commands that their scripts need.
package scripttest

import (
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"digestlists/internal/xattr"

	"github.com/rogpeppe/go-internal/testscript"
)

// Run runs the scripts in a folder. $DATA in them is the folder of inputs, which is
// copied to the script's own folder as well.
//
//	code N command…    runs a command that must exit with N
//	ima FILE [PREFIX]  FILE has a security.ima that starts with these hex digits;
//	                   `! ima FILE`: it has none
//	count N PATTERN    N files match the pattern
//
// Programs are commands, too, that need no exec before them.
func Run(t *testing.T, dir, data string, programs ...string) {
	t.Helper()
	data, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	cmds := map[string]func(*testscript.TestScript, bool, []string){"code": code, "ima": ima, "count": count}
	for _, name := range programs {
		cmds[name] = program(name)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", data)
			return os.CopyFS(env.WorkDir, os.DirFS(data))
		},
		Cmds:               cmds,
		RequireUniqueNames: true,
	})
}

// program runs a program by its name alone.
func program(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if err := ts.Exec(name, args...); (err != nil) != neg {
			ts.Fatalf("%s: unexpected result: %v", name, err)
		}
	}
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%s: exit %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func ima(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: ima FILE [PREFIX]")
	}
	value, err := xattr.Get(ts.MkAbs(args[0]), "security.ima")
	if errors.Is(err, xattr.ErrAbsent) {
		if !neg {
			ts.Fatalf("%s: no security.ima", args[0])
		}
		return
	}
	ts.Check(err)
	prefix := ""
	if len(args) == 2 {
		prefix = args[1]
	}
	if strings.HasPrefix(hex.EncodeToString(value), prefix) == neg {
		ts.Fatalf("%s: security.ima is %x", args[0], value)
	}
}

func count(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: count N PATTERN")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	found, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(found) != want {
		ts.Fatalf("%d files match %s, want %d: %q", len(found), args[1], want, found)
	}
}
