package update

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

// A machine is a root directory with what the script uses of a machine.
type machine struct {
	t    *testing.T
	root string
	conf string // path of the configuration
	env  []string
}

const (
	supported = "root=/dev/sda ima_policy=exec_tcb ima_digest_list_pcr=11 ro"
	appraises = "root=/dev/sda ima_appraise_digest_list=digest ro"
)

// newMachine makes a machine whose kernel takes digest lists and which has the
// packages a 1 and b 1. The lines complete its configuration.
func newMachine(t *testing.T, lines ...string) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir()}
	m.conf = m.path("etc/digest_lists.conf")
	m.write("proc/cmdline", supported)
	m.write("sys/kernel/security/ima/digests_count", "7\n")
	m.write("sys/kernel/security/ima/digest_list_data", "")
	m.write("sys/kernel/security/ima/digest_list_data_del", "")
	m.configure(append([]string{"update = yes"}, lines...)...)
	m.mkdir("log")
	m.mkdir("etc/lists")
	m.installTools()
	if err := os.CopyFS(m.path("var/lib/rpm"), os.DirFS(shared.database)); err != nil {
		t.Fatal(err)
	}
	return m
}

// copy returns another machine in the same state.
func (m *machine) copy(t *testing.T) *machine {
	t.Helper()
	c := &machine{t: t, root: t.TempDir()}
	c.conf = c.path("etc/digest_lists.conf")
	if err := os.CopyFS(c.root, os.DirFS(m.root)); err != nil {
		t.Fatal(err)
	}
	c.write("etc/digest_lists.conf", strings.ReplaceAll(m.read("etc/digest_lists.conf"), m.root, c.root))
	c.remove("bin")
	c.installTools()
	return c
}

// installTools makes a folder for PATH in which the tools' stand-ins are, and a
// logger that appends to a file instead of to the journal.
func (m *machine) installTools() {
	m.t.Helper()
	standIn, err := filepath.Abs("testdata/tool")
	if err != nil {
		m.t.Fatal(err)
	}
	m.mkdir("bin")
	for _, tool := range []string{"gen_digest_lists", "upload_digest_lists"} {
		if err := os.Symlink(standIn, m.path("bin/"+tool)); err != nil {
			m.t.Fatal(err)
		}
	}
	m.program("logger", `echo "$*" >>"$LOG/journal"`)
	m.program("dracut", `echo "dracut $*" >>"$LOG/rebuilt"`)
	m.env = []string{
		"PATH=" + m.path("bin") + ":" + os.Getenv("PATH"), "REAL=" + shared.tools,
		"LOG=" + m.path("log"), "KERNEL=" + m.path("sys/kernel/security/ima"),
	}
}

// program puts a shell script into the folder for PATH.
func (m *machine) program(name, body string) {
	m.t.Helper()
	m.write("bin/"+name, "#!/bin/sh\n"+body+"\n")
	if err := os.Chmod(m.path("bin/"+name), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

func (m *machine) mkdir(name string) {
	m.t.Helper()
	if err := os.MkdirAll(m.path(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) write(name, content string) {
	m.t.Helper()
	m.mkdir(filepath.Dir(name))
	if err := os.WriteFile(m.path(name), []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// read returns the content of a file, or "" if there is none.
func (m *machine) read(name string) string {
	m.t.Helper()
	content, err := os.ReadFile(m.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return string(content)
}

func (m *machine) exists(name string) bool {
	_, err := os.Lstat(m.path(name))
	return err == nil
}

func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.RemoveAll(m.path(name)); err != nil {
		m.t.Fatal(err)
	}
}

// configure writes the configuration.
func (m *machine) configure(lines ...string) {
	m.t.Helper()
	m.write("etc/digest_lists.conf", "dir = "+m.path("etc/lists")+"\n"+strings.Join(lines, "\n")+"\n")
}

// rpm changes the database of the machine.
func (m *machine) rpm(args ...string) {
	m.t.Helper()
	hosttest.Run(m.t, "", "rpm", append([]string{"--dbpath", m.path("var/lib/rpm"), "--justdb", "--nodeps"}, args...)...)
}

// A result is how a run ended.
type result struct {
	code           int
	stdout, stderr string
}

// command returns the script, ready to run.
func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(shared.script, append([]string{"-R", m.root, "-c", m.conf}, args...)...)
	cmd.Env = m.env
	return cmd
}

// update runs the script.
func (m *machine) update(args ...string) result {
	m.t.Helper()
	return m.finish(m.command(args...))
}

func (m *machine) finish(cmd *exec.Cmd) result {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mustUpdate runs the script and expects success and a line that says what was
// done, or none.
func (m *machine) mustUpdate(want string, args ...string) {
	m.t.Helper()
	if want != "" {
		want = "digestlist-update: " + want + "\n"
	}
	got := m.update(args...)
	if got != (result{0, want, ""}) {
		m.t.Fatalf("got %+v, want %q", got, want)
	}
}

// mustFail runs the script and expects an exit code and one line of error that
// contains a text, and that the journal has the same line.
func (m *machine) mustFail(code int, text string, args ...string) {
	m.t.Helper()
	m.remove("log/journal")
	got := m.update(args...)
	line, isLine := strings.CutPrefix(got.stderr, "digestlist-update: ")
	if got.code != code || got.stdout != "" || !isLine || !strings.Contains(line, text) || strings.Count(line, "\n") != 1 {
		m.t.Fatalf("got %+v, want exit %d and a line with %q", got, code, text)
	}
	if want := "-t digestlist-update -p daemon.err -- " + line; m.read("log/journal") != want {
		m.t.Fatalf("journal has %q, want %q", m.read("log/journal"), want)
	}
}

// lists returns the lists on disk, in order.
func (m *machine) lists() []string {
	m.t.Helper()
	entries, err := os.ReadDir(m.path("etc/lists"))
	if err != nil {
		m.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (m *machine) wantLists(want ...string) {
	m.t.Helper()
	if got := m.lists(); !slices.Equal(got, want) {
		m.t.Fatalf("lists %q, want %q", got, want)
	}
}

// runs returns how many tools were run.
func (m *machine) runs() int {
	n, _ := strconv.Atoi(strings.TrimSpace(m.read("log/runs")))
	return n
}
