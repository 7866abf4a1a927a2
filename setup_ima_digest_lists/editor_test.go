package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"digestlists/compact"
	"digestlists/internal/faulttest"
	"digestlists/internal/hashes"
	"digestlists/internal/known"
	"digestlists/internal/ptytest"

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
// which is told with its line, or less than the whole text.
func TestEditorGivesUp(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, tt := range []struct {
		editor string
		code   int
		want   string
	}{
		{"false", 3, `editor "false": exit status 1`},
		{"rm", 3, "no such file"},
		{"truncate -s 0", 3, "its last line is not"},
		{m.editor("cut", "5,$d"), 3, "its last line is not"},
		{m.editor("below", "$a/var/b"), 3, "its last line is not"},
		{m.editor("none", `\,^/,d`), 5, "no file was chosen"},
		{m.editor("typo", "s,^/var/b,var/b,"), 3, `line 4: "var/b": want an absolute path`},
		{m.editor("gone", "s,^/var/b,/var/x,"), 3, "line 4: open /var/x: no such file"},
	} {
		tmp := t.TempDir()
		code, seen := m.onTerminal([]string{"TMPDIR=" + tmp, "EDITOR=" + tt.editor}, "mutable -g -D /var")
		if left, _ := os.ReadDir(tmp); len(left) > 0 {
			t.Errorf("%s: left behind: %s", tt.editor, left)
		}
		if code != tt.code || !strings.Contains(seen, tt.want) {
			t.Errorf("%s: exit %d\n%s", tt.editor, code, seen)
		}
		if left := m.find("-type", "f", "!", "-path", "*/var/[abc]"); left != "" {
			t.Errorf("%s: left behind: %s", tt.editor, left)
		}
	}
}

// What is typed to interrupt something in the editor is for the editor.
func TestEditorInterrupted(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	path := filepath.Join(filepath.Dir(m.root), "interrupted")
	check(t, os.WriteFile(path, []byte("#!/bin/sh\ntrap : INT QUIT HUP\nkill -INT 0\nkill -QUIT 0\nkill -HUP 0\nsed -i '/a$/d' \"$1\"\n"), 0o755))
	code, seen := m.onTerminal([]string{"EDITOR=" + path}, "mutable -g -D /var")
	if code != 0 || m.copies() != "b c" {
		t.Errorf("exit %d, copies of %s\n%s", code, m.copies(), seen)
	}
}

// What an editor leaves is taken whole or not at all, whichever system call fails, of ours or of its own, and wherever
// both are killed: so it is with an editor that does not look whether it could write.
func TestEditorFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ editor, words string }{
		"careful":  {`sed -i '\,/b$,d' "$1"`, "immutable -D /var"},
		"careless": {`sed -u '\,/b$,d' "$1" >"$1.new"; mv "$1.new" "$1"`, "mutable -g -D /var"},
	} {
		editor := filepath.Join(t.TempDir(), name)
		check(t, os.WriteFile(editor, []byte("#!/bin/sh\n"+c.editor+"\n"), 0o755))
		try := func(t *testing.T) (*exec.Cmd, func(*faulttest.Result)) {
			m := newMachine(t)
			tmp := filepath.Join(m.root, "tmp")
			check(t, os.Mkdir(tmp, 0o700))
			_, tty := ptytest.Open(t)
			cmd := exec.Command(m.tool, m.args(c.words)...)
			cmd.Dir, cmd.Stdin, cmd.Stdout = m.root, tty, tty
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "VISUAL=", "EDITOR="+editor)
			return cmd, func(r *faulttest.Result) { m.afterEditor(r, c.words) }
		}
		t.Run(name, func(t *testing.T) { faulttest.Try(t, try, faulttest.Faults...) })
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

// afterEditor looks at what is there after an editor was to leave out /var/b.
func (m *machine) afterEditor(r *faulttest.Result, words string) {
	m.t.Helper()
	defer m.t.Logf("%s: exit %d\n%s", r.Struck, r.Code, r.Stderr) // shown if something fails
	if failed := strings.Contains(r.Stderr, "setup_ima_digest_lists: error: "); failed != (r.Code > 0) {
		m.t.Errorf("exit %d, an error: %t", r.Code, failed)
	}
	done := r.Code == 0 || strings.Contains(r.Stderr, "changes are in place")
	switch listed := m.listed(); {
	case done && listed == "a c", !done && listed == "", r.Code < 0 && listed == "a c":
	default:
		m.t.Errorf("listed: %q", listed)
	}
	left := m.find("-type", "f", "-path", "*/tmp/*")
	if left != "" && r.Code >= 0 && !strings.Contains(r.Struck, "/tmp/") {
		m.t.Errorf("left behind: %s", left)
	}
	m.run(words)
	if listed := m.listed(); listed != "a b c" {
		m.t.Errorf("afterwards, listed: %q", listed)
	}
}

// listed returns the names of the files of /var that lists know.
func (m *machine) listed() string {
	m.t.Helper()
	lists, err := known.Read(filepath.Join(m.root, "etc/ima/digest_lists"))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	check(m.t, err)
	var names []string
	for _, name := range []string{"a", "b", "c"} {
		sum, err := hashes.Sum(compact.SHA256, []byte(m.read("/var/"+name)))
		check(m.t, err)
		if lists.Has(compact.SHA256, sum) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// copies returns the names of the files of /var that were copied.
func (m *machine) copies() string {
	found, _ := filepath.Glob(filepath.Join(m.root, "backup/*/var/*"))
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return strings.Join(found, " ")
}
