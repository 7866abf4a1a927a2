package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// onTerminal runs the tool on a terminal of its own, and returns what is seen there.
func (m *machine) onTerminal(env []string, words string) (code int, seen string) {
	m.t.Helper()
	cmd := exec.Command(m.tool, m.args(words)...)
	cmd.Env = append(os.Environ(), append([]string{"VISUAL=", "EDITOR="}, env...)...)
	terminal, err := pty.Start(cmd)
	check(m.t, err)
	defer terminal.Close()
	var screen bytes.Buffer
	// A terminal that its last user has left reads as an error.
	if _, err := screen.ReadFrom(terminal); !errors.Is(err, syscall.EIO) {
		m.t.Errorf("terminal: %v", err)
	}
	err = cmd.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(screen.String(), "\r\n", "\n")
}

// editor makes a program that notes how it was called and edits with sed(1), if it is
// on a terminal.
func (m *machine) editor(name, expression string) string {
	m.t.Helper()
	dir := filepath.Join(filepath.Dir(m.root), "editors")
	check(m.t, os.MkdirAll(dir, 0o755))
	path := filepath.Join(dir, name)
	script := "#!/bin/sh\n[ -t 0 ] && [ -t 1 ] || exit 9\nfor file; do :; done\necho \"$0 $*\" >>" + dir + "/called\nsed -i '" + expression + "' \"$file\"\n"
	check(m.t, os.WriteFile(path, []byte(script), 0o755))
	return path
}

// edited returns how the editors were called, by name and options.
func (m *machine) edited() string {
	content, _ := os.ReadFile(filepath.Join(filepath.Dir(m.root), "editors/called"))
	var calls []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		calls = append(calls, strings.Join(append([]string{filepath.Base(fields[0])}, fields[1:len(fields)-1]...), " "))
	}
	return strings.Join(calls, ", ")
}

func TestEditor(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	ours := m.editor("ours", `\,^/var/b$,d`)
	vi := filepath.Dir(m.editor("vi", `\,^/var/[bc]$,d`))
	path := "PATH=" + vi + ":" + os.Getenv("PATH")

	code, seen := m.onTerminal([]string{path, "EDITOR=" + ours + " --wait"}, "mutable -g -D /var")
	if code != 0 || !strings.Contains(seen, "added 0-file_list-compact-mutable-") || m.edited() != "ours --wait" {
		t.Errorf("EDITOR: exit %d, edited by %q\n%s", code, m.edited(), seen)
	}
	if got := m.copies(); got != "a c" {
		t.Errorf("copies of %s, want all but b", got)
	}

	// VISUAL goes before EDITOR; and vi is there where the environment says nothing.
	m = newMachine(t)
	ours = m.editor("ours", "s/^/&/")
	vi = filepath.Dir(m.editor("vi", `\,^/var/[bc]$,d`))
	path = "PATH=" + vi + ":" + os.Getenv("PATH")
	if code, seen := m.onTerminal([]string{path, "VISUAL=" + ours, "EDITOR=false"}, "mutable -g -D /var --dry-run"); code != 0 || seen != "/var/a\n/var/b\n/var/c\n" || m.edited() != "" {
		t.Errorf("--dry-run: exit %d, edited by %q\n%s", code, m.edited(), seen)
	}
	if code, seen := m.onTerminal([]string{path}, "mutable -g -D /var"); code != 0 || m.edited() != "vi" || m.copies() != "a" {
		t.Errorf("no variable: exit %d, edited by %q, copies of %s\n%s", code, m.edited(), m.copies(), seen)
	}
	if code, seen := m.onTerminal([]string{path, "VISUAL=" + ours, "EDITOR=false"}, "immutable -D /var"); code != 0 || m.edited() != "vi, ours" {
		t.Errorf("VISUAL: exit %d, edited by %q\n%s", code, m.edited(), seen)
	}
}

// An editor that fails, or leaves no file, makes no list; nor does one that leaves nonsense,
// which is told with its line.
func TestEditorGivesUp(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, tt := range []struct {
		editor string
		code   int
		want   string
	}{
		{"false", 3, `editor "false": exit status 1`},
		{m.editor("none", `\,^/,d`), 5, "no file was chosen"},
		{m.editor("typo", "s,^/var/b,var/b,"), 3, `line 4: "var/b": want an absolute path`},
		{m.editor("gone", "s,^/var/b,/var/x,"), 3, "line 4: open /var/x: no such file"},
	} {
		code, seen := m.onTerminal([]string{"EDITOR=" + tt.editor}, "mutable -g -D /var")
		if code != tt.code || !strings.Contains(seen, tt.want) {
			t.Errorf("%s: exit %d\n%s", tt.editor, code, seen)
		}
		if left := m.find("-type", "f", "!", "-path", "*/var/[abc]"); left != "" {
			t.Errorf("%s: left behind: %s", tt.editor, left)
		}
	}
}

// Where there is no terminal, no editor is run, and all files are taken; likewise where
// the user says so.
func TestNoEditor(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	cmd := exec.Command(m.tool, m.args("mutable -g -D /var")...)
	cmd.Env = append(os.Environ(), "EDITOR="+m.editor("ours", `\,^/,d`))
	if out, err := cmd.CombinedOutput(); err != nil || m.edited() != "" || m.copies() != "a b c" {
		t.Errorf("no terminal: %v, edited by %q, copies of %s\n%s", err, m.edited(), m.copies(), out)
	}
	m = newMachine(t)
	code, seen := m.onTerminal([]string{"EDITOR=" + m.editor("ours", `\,^/,d`)}, "mutable -g -D /var --no-edit")
	if code != 0 || m.edited() != "" || m.copies() != "a b c" {
		t.Errorf("--no-edit: exit %d, edited by %q, copies of %s\n%s", code, m.edited(), m.copies(), seen)
	}
}

// copies returns the names of the files of /var that were copied.
func (m *machine) copies() string {
	found, _ := filepath.Glob(filepath.Join(m.root, "backup/*/var/*"))
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return strings.Join(found, " ")
}
