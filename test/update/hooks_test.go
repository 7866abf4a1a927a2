package update

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const installed = "/usr/libexec/digestlist-update"

// starter writes a program that runs the script for this machine. It sets the
// environment, since rpm sets PATH for what it runs.
func (m *machine) starter() string {
	m.program("starter", "export '"+strings.Join(m.env, "' '")+"'\n"+
		"exec "+shared.script+" -R "+m.root+" -c "+m.conf+` "$@"`)
	return m.path("bin/starter")
}

// adapt copies a file of the project with the path of the script replaced.
func (m *machine) adapt(source, target string) string {
	m.t.Helper()
	content, err := os.ReadFile(source)
	if err != nil {
		m.t.Fatal(err)
	}
	if !strings.Contains(string(content), installed) {
		m.t.Fatalf("%s does not run %s", source, installed)
	}
	m.write(target, strings.ReplaceAll(string(content), installed, m.starter()))
	return m.path(target)
}

// install really installs or removes packages, with their scripts and triggers.
func (m *machine) install(args ...string) string {
	m.t.Helper()
	cmd := exec.Command("rpm", append([]string{"--dbpath", m.path("var/lib/rpm"), "--nodeps", "--replacefiles"}, args...)...)
	cmd.Env = append(os.Environ(), append(m.env, "LISTS="+m.path("etc/lists"))...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("rpm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// The triggers load a package's list before its scripts run, and drop old lists at
// the end of each kind of transaction.
func TestFileTriggers(t *testing.T) {
	m := newMachine(t)
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.remove("var/lib/rpm")
	m.mkdir("var/lib/rpm")
	triggers := m.adapt("../../packaging/hooks/digest_lists.triggers", "digest_lists.triggers")
	if err := buildPackage("testdata/hooks.rpmspec", "folder "+shared.files, "triggers "+triggers); err != nil {
		t.Fatal(err)
	}
	m.install("-U", packageFile("hooks-1"))
	m.wantLists("0-file_list-rpm-hooks-1-1-noarch")

	m.install("-U", packageFile("a-1"), packageFile("b-1"))
	m.wantTable("hooks-1", "a-1", "b-1")
	if seen := m.read("log/seen-by-a-1"); !strings.Contains(seen, "rpm-a-1-1-noarch") {
		t.Errorf("lists when the first scripts run: %q", seen)
	}

	m.install("-U", packageFile("a-2"))
	seen := m.read("log/seen-by-a-2")
	if !strings.Contains(seen, "rpm-a-1-1-noarch") || !strings.Contains(seen, "rpm-a-2-1-noarch") {
		t.Errorf("lists in the midst of an upgrade: %q", seen)
	}
	m.wantTable("hooks-1", "a-2", "b-1")

	m.install("-e", "b")
	m.wantTable("hooks-1", "a-2")

	// A failure is one line and does not keep the package from being installed.
	m.configure("update = yes", "sign = key", "key = /nowhere")
	m.remove("log/journal")
	out := m.install("-U", packageFile("b-1"))
	if n := strings.Count(out, "digestlist-update: error: /nowhere"); n != 1 || strings.Count(m.read("log/journal"), "\n") != 1 {
		t.Errorf("reported %d times:\n%s\njournal:\n%s", n, out, m.read("log/journal"))
	}
	m.configure("update = yes")
	m.update()
	m.wantTable("hooks-1", "a-2", "b-1")
}

// dnf itself runs the action, once for a transaction of two packages.
func TestDNFAction(t *testing.T) {
	m := newMachine(t)
	m.remove("var/lib/rpm")
	m.adapt("../../packaging/hooks/digest_lists.action", "actions/digest_lists.action")
	m.write("plugins/post-transaction-actions.conf", "[main]\nenabled = 1\nactiondir = "+m.path("actions")+"/\n")
	m.write("home/.rpmmacros", "%_dbpath /var/lib/rpm\n")
	// Debian 12's plug-in calls a function of libdnf by a name that it does not have there.
	m.write("python/sitecustomize.py", "import libdnf.conf as c\n"+
		"c.ConfigParser_substitute = getattr(c, 'ConfigParser_substitute', c.ConfigParser.substitute)\n")
	m.mkdir("repos")
	dnf := func(args ...string) {
		t.Helper()
		cmd := exec.Command("dnf", append([]string{
			"-y", "-q", "--installroot", m.root, "--releasever", "1", "--nogpgcheck", "--disablerepo", "*",
			"--disableplugin", "*", "--enableplugin", "post-transaction-actions",
			"--setopt", "pluginconfpath=" + m.path("plugins"), "--setopt", "reposdir=" + m.path("repos"),
		}, args...)...)
		cmd.Env = append(os.Environ(), append(m.env, "HOME="+m.path("home"), "PYTHONPATH="+m.path("python"))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("dnf %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	dnf("install", packageFile("a-1"), packageFile("b-1"))
	if got := len(m.lists()); got != 2 {
		t.Fatalf("lists after an installation: %q", m.lists())
	}
	if got := strings.Count(m.read("log/calls"), "--sync=all "); got != 1 {
		t.Errorf("run %d times:\n%s", got, m.read("log/calls"))
	}
	dnf("remove", "a")
	m.wantLists("0-file_list-rpm-b-1-1-noarch")
}

// The units are what systemd accepts, and watch every place of a database.
func TestUnits(t *testing.T) {
	m := newMachine(t)
	m.adapt("../../systemd/digestlist-update.service", "units/digestlist-update.service")
	path, err := os.ReadFile("../../systemd/digestlist-update.path")
	if err != nil {
		t.Fatal(err)
	}
	m.write("units/digestlist-update.path", string(path))
	for _, unit := range []string{"digestlist-update.service", "digestlist-update.path"} {
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", m.path("units/"+unit)).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
	for _, folder := range []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"} {
		for _, file := range []string{"rpmdb.sqlite", "Packages.db", "Packages"} {
			if line := "\nPathChanged=" + folder + "/" + file + "\n"; strings.Count(string(path), line) != 1 {
				t.Errorf("no %q", strings.TrimSpace(line))
			}
		}
	}
}

// changes watches a file as the path unit does while do runs, and tells whether the
// unit would start the service.
func changes(t *testing.T, file string, do func()) bool {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// What systemd waits for with PathChanged=.
	const mask = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ATTRIB | unix.IN_CLOSE_WRITE |
		unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO
	if _, err := unix.InotifyAddWatch(fd, file, mask); err != nil {
		t.Fatal(err)
	}
	do()
	buf := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	n, err := unix.Read(fd, buf)
	if err == unix.EAGAIN {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes of events, the first is %#x", filepath.Base(file), n, (*unix.InotifyEvent)(unsafe.Pointer(&buf[0])).Mask)
	return true
}

// A run must not start the next one; a transaction must.
func TestPathUnitIsStartedByTransactionsOnly(t *testing.T) {
	m := newMachine(t)
	database := m.path("var/lib/rpm/rpmdb.sqlite")
	if changes(t, database, func() { m.update() }) {
		t.Error("reading the database looks like a transaction")
	}
	if !changes(t, database, func() { m.rpm("-e", "b") }) {
		t.Error("a transaction goes unnoticed")
	}
	if changes(t, database, func() { m.update() }) {
		t.Error("reading the database looks like a transaction")
	}
}
