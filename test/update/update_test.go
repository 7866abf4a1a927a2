package update

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

const (
	listA1 = "0-file_list-rpm-a-1-1-noarch"
	listB1 = "1-file_list-rpm-b-1-1-noarch"
	stale  = "; the initramfs has old lists: rebuild it with dracut --force --regenerate-all"
)

func TestListsAndKernelFollowTheDatabase(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.mustUpdate("digest lists: 2 added without signature, 0 removed" + stale)
	m.wantLists(listA1, listB1)
	m.wantTable("a-1", "b-1")

	m.rpm("-U", packageFile("a-2"))
	m.mustUpdate("digest lists: 1 added without signature, 1 removed" + stale)
	m.wantLists("0-file_list-rpm-b-1-1-noarch", "1-file_list-rpm-a-2-1-noarch")
	m.wantTable("a-2", "b-1")

	m.rpm("-e", "b")
	m.mustUpdate("digest lists: 0 added, 1 removed" + stale)
	m.wantLists("0-file_list-rpm-a-2-1-noarch")
	m.wantTable("a-2")

	m.rpm("-U", "--oldpackage", packageFile("a-1"))
	m.mustUpdate("digest lists: 1 added without signature, 1 removed" + stale)
	m.wantTable("a-1")
}

// Where the kernel has been given a list twice, unloading it once is not enough, and the
// user is told so. Here the kernel is the uploader's model of one, with its references.
func TestLoadedTwice(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "initramfs = no")
	m.remove("bin/upload_digest_lists")
	m.program("upload_digest_lists", `exec "$REAL/upload_digest_lists" --emulate "$LOG/table" "$3" "$4"`)
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.mustUpdate("digest lists: 2 added without signature, 0 removed")
	hosttest.Run(t, "", shared.tools+"/upload_digest_lists", "--emulate", m.path("log/table"), "add", m.path("etc/lists/"+listA1))

	m.rpm("-U", packageFile("a-2"))
	m.mustUpdate("digest lists: 1 added without signature, 1 removed; the kernel was given 1 of the removed lists more than once, " +
		"and trusts their files until the next boot")
	table := m.read("log/table")
	for d := range fileDigests(t, "a-1", "a-2", "b-1") {
		if !strings.Contains(table, d) {
			t.Errorf("%s is forgotten", d)
		}
	}
	m.rpm("-U", "--oldpackage", packageFile("a-1"))
	m.mustUpdate("digest lists: 1 added without signature, 1 removed")
}

// What stays installed is known to the kernel throughout.
func TestNoGap(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.update()
	m.rpm("-U", packageFile("a-2"))
	m.update()
	always := fileDigests(t, "b-1")
	for d := range fileDigests(t, "a-1") {
		if fileDigests(t, "a-2")[d] {
			always[d] = true
		}
	}
	m.replay(always)
}

func TestSecondRunDoesNothing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.update()
	before := m.writes()
	m.remove("var/lib/digest_lists/initramfs-stale")
	m.mustUpdate("")
	if got := m.writes(); len(got) != len(before) {
		t.Errorf("written again: %q", got[len(before):])
	}
	if m.exists("var/lib/digest_lists/initramfs-stale") {
		t.Error("the initramfs is marked though nothing changed")
	}
}

// The first half of an update is run before a new package is used, and says
// nothing if it goes well: the second half does.
func TestAddBeforeRemove(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.update()
	m.rpm("-i", "--force", packageFile("a-2"))
	m.mustUpdate("digest lists: 1 added without signature, 0 removed", "add")
	m.wantTable("a-1", "a-2", "b-1")
	m.rpm("-e", "a-1-1")
	m.mustUpdate("", "add")
	m.wantTable("a-1", "a-2", "b-1")
	m.mustUpdate("digest lists: 0 added, 1 removed" + stale)
	m.wantTable("a-2", "b-1")
}

// Lists that a kernel refuses stay to be loaded, and old ones to be unloaded, by a
// later run: nothing is forgotten, on disk or in the kernel.
func TestKernelRefuses(t *testing.T) {
	t.Parallel()
	const data = "sys/kernel/security/ima/digest_list_data"
	full := func(m *machine, name string) {
		m.remove(name)
		if err := os.Symlink("/dev/full", m.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("add", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t)
		m.write("sys/kernel/security/ima/digests_count", "0\n")
		m.update()
		m.rpm("-U", packageFile("a-2"))
		full(m, data)
		m.mustFail(1, "error: the kernel has 0 of 1 new lists, and old ones are kept: ")
		m.wantLists(listA1, listB1, "2-file_list-rpm-a-2-1-noarch")
		m.wantTable("a-1", "b-1")
		m.mustFail(1, "error: the kernel has 0 of 1 new lists")
		m.remove(data)
		m.write(data, "")
		m.mustUpdate("digest lists: 0 added, 1 removed" + stale)
		m.wantTable("a-2", "b-1")
	})
	t.Run("del", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t)
		m.write("sys/kernel/security/ima/digests_count", "0\n")
		m.update()
		m.rpm("-U", packageFile("a-2"))
		full(m, data+"_del")
		m.mustFail(1, "error: the kernel still has 1 of 1 old lists, which are kept: ")
		m.wantLists(listA1, listB1, "2-file_list-rpm-a-2-1-noarch")
		m.wantTable("a-1", "a-2", "b-1")
		m.remove(data + "_del")
		m.write(data+"_del", "")
		m.mustUpdate("digest lists: 0 added, 1 removed" + stale)
		m.wantTable("a-2", "b-1")
	})
}

// A kernel that takes no lists is no failure, and is said once.
func TestListsOnDiskOnly(t *testing.T) {
	t.Parallel()
	const said = "lists are kept on disk only: "
	tests := []struct {
		name string
		make func(*machine)
		text string
	}{
		{"no digest lists in the kernel", func(m *machine) { m.remove("sys/kernel/security/ima") }, "this kernel has no digest lists: no "},
		{"not asked for", func(m *machine) { m.write("proc/cmdline", "root=/dev/sda ro\n") }, "this kernel was started without ima_digest_list_pcr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			tt.make(m)
			got := m.update()
			if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "digestlist-update: "+said+tt.text) {
				t.Fatalf("%+v", got)
			}
			m.wantLists(listA1, listB1)
			m.rpm("-e", "a")
			m.mustUpdate("digest lists: 0 added, 1 removed" + stale)
			if w := m.writes(); len(w) > 0 {
				t.Errorf("written to the kernel: %q", w)
			}
		})
	}
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(*machine)
	}{
		{"no database", func(m *machine) { m.remove("var/lib/rpm") }},
		{"folder of a database", func(m *machine) { m.remove("var/lib/rpm"); m.mkdir("var/lib/rpm") }},
		{"not switched on", func(m *machine) { m.configure("update = no") }},
		{"default", func(m *machine) { m.configure() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			tt.make(m)
			m.mustUpdate("")
			m.wantLists()
			if m.runs() > 0 {
				t.Errorf("ran %s", m.read("log/calls"))
			}
		})
	}
}

// After a boot the lists on disk are those that the kernel was given, unless it has
// none at all or an old initramfs had others.
func TestAfterBoot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		make   func(*machine)
		loaded bool // the run loads all lists
	}{
		{"loaded at boot", func(*machine) {}, false},
		{"nothing loaded", func(m *machine) { m.write("sys/kernel/security/ima/digests_count", "0\n") }, true},
		{"stale initramfs", func(m *machine) { m.write("var/lib/digest_lists/initramfs-stale", "") }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			m.update()
			m.remove("run")
			m.remove("var/lib/digest_lists/initramfs-stale")
			tt.make(m)
			before := len(m.writes())
			m.mustUpdate("")
			if got := len(m.writes()) > before; got != tt.loaded {
				t.Errorf("loads lists: %v, want %v", got, tt.loaded)
			}
		})
	}
	// A list that the kernel has from its boot is unloaded like any other.
	m := newMachine(t)
	m.write("sys/kernel/security/ima/digests_count", "0\n")
	m.update()
	m.remove("run")
	m.remove("var/lib/digest_lists/initramfs-stale")
	m.write("sys/kernel/security/ima/digests_count", "5\n")
	m.rpm("-e", "a")
	m.mustUpdate("digest lists: 0 added, 1 removed" + stale)
	m.wantTable("b-1")
}

func TestInitramfs(t *testing.T) {
	t.Parallel()
	const mark = "var/lib/digest_lists/initramfs-stale"
	t.Run("mark", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = mark")
		m.mustUpdate("digest lists: 2 added without signature, 0 removed" + stale)
		if !m.exists(mark) || m.exists("log/rebuilt") {
			t.Error("not marked, or rebuilt")
		}
	})
	t.Run("no", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = no")
		m.mustUpdate("digest lists: 2 added without signature, 0 removed")
		if m.exists(mark) || m.exists("log/rebuilt") {
			t.Error("marked or rebuilt")
		}
	})
	t.Run("rebuild", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = rebuild")
		m.mustUpdate("digest lists: 2 added without signature, 0 removed")
		if m.exists(mark) || m.read("log/rebuilt") != "dracut --force --regenerate-all\n" {
			t.Errorf("marked, or not rebuilt: %q", m.read("log/rebuilt"))
		}
		m.mustUpdate("")
		if m.read("log/rebuilt") != "dracut --force --regenerate-all\n" {
			t.Error("rebuilt without need")
		}
	})
	t.Run("half an update", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = rebuild")
		m.mustUpdate("digest lists: 2 added without signature, 0 removed", "add")
		if m.exists("log/rebuilt") {
			t.Error("rebuilt before the update was done")
		}
		m.mustUpdate("")
		if !m.exists("log/rebuilt") {
			t.Error("not rebuilt")
		}
	})
	t.Run("command", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = rebuild", `initramfs_command = echo "a  b" >"$LOG/own" # comment`)
		m.update()
		if m.read("log/own") != "a  b\n" || m.exists("log/rebuilt") {
			t.Errorf("%q", m.read("log/own"))
		}
	})
	t.Run("failure", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = rebuild", "initramfs_command = echo disk full; exit 7")
		m.mustFail(1, "error: the initramfs has old lists: echo disk full; exit 7: exit 7, see ")
		if !m.exists(mark) || m.read("run/digest_lists/initramfs.log") != "disk full\n" {
			t.Error("not marked, or no log")
		}
		m.wantTable("a-1", "b-1")
		m.mustFail(1, "the initramfs has old lists")
		m.configure("update = yes", "initramfs = rebuild")
		m.mustUpdate("")
		if m.exists(mark) {
			t.Error("still marked")
		}
	})
	t.Run("other programs", func(t *testing.T) {
		t.Parallel()
		m := newMachine(t, "initramfs = rebuild")
		m.program("update-initramfs", `echo "$*" >>"$LOG/own"`)
		m.update()
		if m.read("log/own") != "-u -k all\n" || m.exists("log/rebuilt") {
			t.Errorf("%q", m.read("log/own"))
		}
	})
}

// Lines for the journal carry their level, and are not sent there twice.
func TestInUnit(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	journal, err := os.Create(m.path("journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	stream := strings.TrimSpace(hosttest.Run(t, "", "stat", "-c", "%d:%i", journal.Name()))
	for _, conf := range []string{"update = yes", "update = no", "update = maybe"} {
		m.configure(conf)
		cmd := m.command()
		cmd.Env = append(cmd.Env, "JOURNAL_STREAM="+stream)
		cmd.Stdout, cmd.Stderr = journal, journal
		if err := cmd.Run(); (err != nil) != (conf == "update = maybe") {
			t.Fatal(err)
		}
	}
	want := "<5>digest lists: 2 added without signature, 0 removed" + stale + "\n" +
		"<5>nothing to do: " + m.conf + " does not say update = yes\n" +
		"<3>error: " + m.conf + ":2: update = maybe: want yes or no\n"
	if got := m.read("journal"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if m.exists("log/journal") {
		t.Errorf("sent twice: %s", m.read("log/journal"))
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "sign = key", "key = /etc/passwd")
	if got := m.update("-q"); got != (result{3, "", ""}) || m.exists("log/journal") {
		t.Errorf("%+v", got)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.mustFail(2, `unknown operation prune, want add or none`, "prune")
	m.mustFail(2, `too many arguments`, "add", "add")
	if got := m.update("-z"); got.code != 2 {
		t.Errorf("%+v", got)
	}
	m.remove(strings.TrimPrefix(m.conf, m.root))
	m.mustFail(2, m.conf+": no such file")
}

// The tools that the script calls are told apart from its own failures.
func TestToolIsMissing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.remove("bin/gen_digest_lists")
	m.mustFail(127, "no list was changed: ")
	if left, _ := filepath.Glob(m.path("run/digest_lists/work.*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
