// Package update tests digestlist-update and what starts it: with RPM databases
// that rpm fills, the tools as they are built, and a stand-in for the kernel.
package update

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"digestlists/compact"
)

// What all tests share: the tools, and packages a 1, a 2 and b 1.
var shared struct {
	tools    string // gen_digest_lists and so on
	script   string // digestlist-update
	keys     string
	packages string
	database string // folder of a database with a 1 and b 1
	files    string // folder that the files of the packages are installed to
}

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	useMemory()
	dir, err := os.MkdirTemp("", "update")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared.tools, shared.packages, shared.files = filepath.Join(dir, "tools"), filepath.Join(dir, "packages"), filepath.Join(dir, "files")
	shared.script, _ = filepath.Abs("../../libexec/digestlist-update")
	shared.keys, _ = filepath.Abs("../inputs/keys")
	build := exec.Command("go", "build", "-o", shared.tools+"/",
		"../../gen_digest_lists", "../../upload_digest_lists", "../../verify_digest_lists")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	for _, p := range []string{"a 1", "a 2", "b 1"} {
		name, version, _ := strings.Cut(p, " ")
		if err := buildPackage("testdata/package.rpmspec", "name "+name, "version "+version, "folder "+shared.files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := makeDatabase(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func makeDatabase() error {
	shared.database = filepath.Join(filepath.Dir(shared.packages), "database")
	for _, name := range []string{"a-1", "b-1"} { // one by one: their order is that of the lists
		out, err := exec.Command("rpm", "--dbpath", shared.database, "--justdb", "--nodeps", "-U", packageFile(name)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("rpm: %w\n%s", err, out)
		}
	}
	return nil
}

// useMemory puts temporary files where writing through to a disk takes no time, if
// programs can be run from there: rpm and the tools wait for the disk often.
func useMemory() {
	const folder = "/dev/shm"
	f, err := os.CreateTemp(folder, "update")
	if err != nil {
		return
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString("#!/bin/sh\n")
	if errors.Join(err, f.Chmod(0o755), f.Close()) == nil && exec.Command(f.Name()).Run() == nil {
		os.Setenv("TMPDIR", folder)
	}
}

// buildPackage runs rpmbuild with macros defined.
func buildPackage(spec string, macros ...string) error {
	top, err := os.MkdirTemp(filepath.Dir(shared.packages), "rpmbuild")
	if err != nil {
		return err
	}
	args := []string{"-bb", "--quiet", "--define", "_topdir " + top, "--define", "_rpmdir " + shared.packages, "--define", "_rpmfilename %{NAME}-%{VERSION}.rpm"}
	for _, m := range macros {
		args = append(args, "--define", m)
	}
	out, err := exec.Command("rpmbuild", append(args, spec)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("rpmbuild: %w\n%s", err, out)
	}
	return nil
}

// packageFile returns the path of a package such as "a-1".
func packageFile(name string) string { return filepath.Join(shared.packages, name+".rpm") }

// fileDigests returns the digests of the files of packages, as rpm prints them.
func fileDigests(t *testing.T, packages ...string) map[string]bool {
	t.Helper()
	digests := make(map[string]bool)
	for _, p := range packages {
		out := run(t, "rpm", "-qp", "--nosignature", "--qf", "[%{FILEDIGESTS}\n]", packageFile(p))
		for _, digest := range strings.Fields(out) {
			digests[digest] = true
		}
	}
	return digests
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

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
	run(m.t, "rpm", append([]string{"--dbpath", m.path("var/lib/rpm"), "--justdb", "--nodeps"}, args...)...)
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

// A table is what a kernel keeps of lists: how often each digest was added.
type table map[string]int

// replay makes the table of what was written to the kernel, write by write, and
// fails if digests that must be known at all times are not.
func (m *machine) replay(always map[string]bool) table {
	m.t.Helper()
	known := make(table)
	started := false
	for _, entry := range m.writes() {
		step := 1
		if strings.HasSuffix(entry, "_del") {
			step = -1
		}
		r := compact.NewReader(strings.NewReader(m.read(entry)))
		for d, err := range r.Digests() {
			if err != nil {
				m.t.Fatalf("%s: %v", entry, err)
			}
			key := hex.EncodeToString(d.Sum)
			known[key] += step
			if known[key] <= 0 {
				delete(known, key)
			}
		}
		started = started || known.has(always)
		if started && !known.has(always) {
			m.t.Fatalf("%s: the kernel forgets digests that are in use", entry)
		}
	}
	return known
}

func (k table) has(digests map[string]bool) bool {
	for d := range digests {
		if k[d] == 0 {
			return false
		}
	}
	return true
}

// writes returns the files of what was written to the kernel, in order.
func (m *machine) writes() []string {
	m.t.Helper()
	found, err := filepath.Glob(m.path("log/*-digest_list_data*"))
	if err != nil {
		m.t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], m.root+"/")
	}
	return found
}

// wantTable expects the kernel to know just the digests of these packages.
func (m *machine) wantTable(packages ...string) {
	m.t.Helper()
	got := slices.Sorted(maps.Keys(m.replay(nil)))
	if want := slices.Sorted(maps.Keys(fileDigests(m.t, packages...))); !slices.Equal(got, want) {
		m.t.Fatalf("the kernel knows\n%s\nwant those of %s\n%s", strings.Join(got, "\n"), packages, strings.Join(want, "\n"))
	}
}

// runs returns how many tools were run.
func (m *machine) runs() int {
	n, _ := strconv.Atoi(strings.TrimSpace(m.read("log/runs")))
	return n
}
