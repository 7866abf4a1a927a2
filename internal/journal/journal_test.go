package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
)

const dir = "/var/lib/digest_lists/setup"

// system makes a small system with what there is to lose: owners, modes, attributes,
// capabilities, links, old times.
func system(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	hosttest.Shell(t, root, `
		mkdir -p etc/ima/digest_lists var/lib boot/grub etc/keys
		echo one >etc/ima/digest_lists/0-file_list-rpm-a
		setfattr -n security.ima -v 0x0302 etc/ima/digest_lists/0-file_list-rpm-a
		ln -s 0-file_list-rpm-a etc/ima/digest_lists/link
		setfattr -n security.ima -v 0x0301 -h etc/ima/digest_lists/link
		echo menu >boot/grub/grub.cfg; chmod 0400 boot/grub/grub.cfg
		echo tool >etc/tool; chown 7:8 etc/tool; chmod 4750 etc/tool; setcap cap_net_raw+ep etc/tool
		setfattr -n user.note -v x etc/keys; chmod 1750 etc/keys
		: >etc/empty
		find . -exec touch -h -d '2020-02-03 04:05:06.789' {} +`)
	return root
}

var touched = []string{
	"/etc/ima/digest_lists", "/boot/grub/grub.cfg", "/etc/tool", "/etc/keys/x509_ima.der", "/etc/empty", "/etc/new/deep/file",
}

// change does what steps do, the worst of it.
func change(root string) error {
	out, err := exec.Command("sh", "-euc", `cd "$1"
		rm etc/ima/digest_lists/0-file_list-rpm-a etc/ima/digest_lists/link
		mkdir etc/ima/digest_lists/link; echo two >etc/ima/digest_lists/link/1-file_list-rpm-b
		echo three >etc/ima/digest_lists/0-file_list-rpm-a
		echo more >>boot/grub/grub.cfg; chmod 0644 boot/grub/grub.cfg
		echo tool >etc/tool.new; mv etc/tool.new etc/tool
		echo cert >etc/keys/x509_ima.der
		rm etc/empty; mkfifo etc/empty
		mkdir -p etc/new/deep; echo x >etc/new/deep/file`, "sh", root).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func open(t *testing.T, root string) *Journal {
	t.Helper()
	j, err := Open(root, dir, true)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func undoAll(t *testing.T, j *Journal) {
	t.Helper()
	groups := j.Groups()
	for i := len(groups) - 1; i >= 0; i-- {
		if err := j.Undo(groups[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Remove(); err != nil {
		t.Fatal(err)
	}
}

func TestUndo(t *testing.T) {
	root := system(t)
	before := hosttest.Snapshot(t, root)
	j := open(t, root)
	g, err := j.Begin("all", touched...)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(root), j.End(g)); err != nil {
		t.Fatal(err)
	}
	// A second group finds what the first has left, and is undone before it.
	if g, err = j.Begin("again", "/boot/grub/grub.cfg", "/etc/new/deep/other"); err != nil {
		t.Fatal(err)
	}
	hosttest.Shell(t, root, `echo again >boot/grub/grub.cfg; echo y >etc/new/deep/other`)
	if err := errors.Join(j.End(g), j.Close()); err != nil {
		t.Fatal(err)
	}
	undoAll(t, open(t, root))
	if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
		t.Error(diff)
	}
	if _, err := Open(root, dir, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal is still there: %v", err)
	}
}

// errKilled stands for the death of the process: nothing runs after it.
var errKilled = errors.New("killed")

// run does everything there is to do, from a fault at the nth point on not at all.
func run(root string, n int) (err error) {
	j, err := Open(root, dir, true)
	if err != nil {
		return err
	}
	defer j.Close()
	j.failure = func(string) error {
		if n--; n < 0 {
			return errKilled
		}
		return nil
	}
	for _, g := range j.Groups() {
		if err := j.Undo(g); err != nil {
			return err
		}
	}
	g, err := j.Begin("all", touched...)
	if err != nil {
		return err
	}
	if err := change(root); err != nil {
		return err
	}
	if err := j.End(g); err != nil {
		return err
	}
	return j.Undo(g)
}

// Stopped at each point, a run can be taken back, and be run again first.
func TestStoppedAtEveryPoint(t *testing.T) {
	for n := 0; ; n++ {
		root := system(t)
		before := hosttest.Snapshot(t, root)
		first := run(root, n)
		if first != nil && !errors.Is(first, errKilled) {
			t.Fatal(first)
		}
		if err := run(root, n); err != nil && !errors.Is(err, errKilled) { // dies once more, resuming
			t.Fatal(err)
		}
		undoAll(t, open(t, root))
		if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
			t.Errorf("point %d: %s", n, diff)
		}
		if first == nil {
			if n < 10 {
				t.Errorf("only %d points", n)
			}
			return
		}
	}
}

func TestChangedSince(t *testing.T) {
	root := system(t)
	j := open(t, root)
	defer j.Close()
	g, err := j.Begin("all", touched...)
	if err := errors.Join(err, change(root), j.End(g)); err != nil {
		t.Fatal(err)
	}
	if changed, err := j.Changed(); len(changed) > 0 || err != nil {
		t.Errorf("%q, %v", changed, err)
	}
	// Lists come and go with packages; the boot loader's file does not.
	hosttest.Shell(t, root, `echo x >etc/ima/digest_lists/5-file_list-rpm-c; echo x >>boot/grub/grub.cfg; rm etc/new/deep/file`)
	changed, err := j.Changed()
	if diff := cmp.Diff([]string{"/boot/grub/grub.cfg"}, changed); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// A run that was killed while it took the journal apart leaves nothing that the next does not
// take away, and the folder above is as it was.
func TestKilledInRemove(t *testing.T) {
	root := system(t)
	before := hosttest.Snapshot(t, root)
	j := open(t, root)
	first := j.records[0]
	if err := errors.Join(j.Close(), os.Rename(j.path(first.Made), j.path(oldName(first.Made, first.Time)))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(root, dir, false); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Open: %v, want that there is none", err)
	}
	if diff := cmp.Diff(before, hosttest.Snapshot(t, root)); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

func TestBusy(t *testing.T) {
	root := system(t)
	defer open(t, root).Close()
	if _, err := Open(root, dir, true); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}

func TestDevicesAreNotSaved(t *testing.T) {
	root := system(t)
	hosttest.Shell(t, root, "mkfifo etc/ima/digest_lists/fifo")
	j := open(t, root)
	defer j.Close()
	if _, err := j.Begin("all", touched...); !errors.Is(err, ErrKind) || !strings.Contains(err.Error(), "fifo") {
		t.Error(err)
	}
}

func TestDamagedJournal(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"not JSON":      "{\"event\":\"created\"}\nx\n",
		"no beginning":  "{\"event\":\"note\"}\n",
		"unknown event": "{\"event\":\"created\"}\n{\"event\":\"x\"}\n",
		"unknown group": "{\"event\":\"created\"}\n{\"event\":\"ended\",\"group\":1}\n",
		"group twice":   "{\"event\":\"created\"}\n{\"event\":\"begun\",\"group\":1}\n{\"event\":\"begun\",\"group\":1}\n",
	} {
		root := system(t)
		open(t, root).Close()
		if err := os.WriteFile(filepath.Join(root, dir, recordsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(root, dir, true); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A record that was being written when the machine died is no damage.
	root := system(t)
	open(t, root).Close()
	hosttest.Shell(t, root, `printf '{"event":"beg' >>.`+dir+`/journal`)
	j := open(t, root)
	defer j.Close()
	if _, err := j.Begin("all"); err != nil {
		t.Error(err)
	}
}
