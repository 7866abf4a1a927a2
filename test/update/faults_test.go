package update

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/faulttest"
)

// Whatever system call fails, of the script and of all that it runs, wherever it is killed: what is installed is known,
// it says what went wrong, and the next run finishes what this one began.
func TestFaults(t *testing.T) {
	t.Parallel()
	prepared := newMachine(t)
	prepareUpgrade(prepared)
	try := func(t *testing.T) (*exec.Cmd, func(*faulttest.Result)) {
		m := prepared.copy(t)
		m.keepApart()
		cmd := m.command()
		cmd.Dir = m.root
		return cmd, func(r *faulttest.Result) {
			defer t.Logf("%s: exit %d\n%s", r.Struck, r.Code, r.Stderr) // shown if something fails
			wantMessage(t, r)
			m.record()
			m.checkUpgrade()
			if err := os.RemoveAll(m.root); err != nil {
				t.Error(err)
			}
		}
	}
	faulttest.Try(t, try, faulttest.Faults...)
}

// keepApart moves what only stands in for something out of the reach of faults.
func (m *machine) keepApart() {
	m.t.Helper()
	apart := m.t.TempDir()
	for variable, folder := range map[string]string{"LOG": "log", "KERNEL": "sys/kernel/security/ima", "BIN": "bin"} {
		to := filepath.Join(apart, variable)
		if err := errors.Join(os.Rename(m.path(folder), to), os.Symlink(to, m.path(folder))); err != nil {
			m.t.Fatal(err)
		}
		m.env = append(m.env, variable+"="+to)
	}
	m.env = append(m.env, "PATH="+filepath.Join(apart, "BIN")+":"+os.Getenv("PATH"))
}

// wantMessage expects that a run that fails says so, at the end and with the right code.
func wantMessage(t *testing.T, r *faulttest.Result) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(r.Stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	switch {
	case r.Code == 0 || r.Code == -1:
	case r.Code != 1 && r.Code != 3, !strings.HasPrefix(last, "digestlist-update: error: "):
		t.Errorf("%s: no message that it fails, or exit %d", r.Struck, r.Code)
	}
}

// record does what a stand-in for a tool did not come to do: the kernel has what it was given.
func (m *machine) record() {
	m.t.Helper()
	for _, file := range []string{"digest_list_data", "digest_list_data_del"} {
		data := m.read("sys/kernel/security/ima/" + file)
		if data != "" {
			m.write(fmt.Sprintf("log/%05d-%s", m.runs(), file), data)
			m.write("sys/kernel/security/ima/"+file, "")
		}
	}
}
