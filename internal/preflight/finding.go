package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"digestlists/internal/securityfs"
)

// These are the only ways to make a finding: what is not fine says what it means and what
// mends it.

func fine(format string, args ...any) []Finding {
	return []Finding{{Verdict: OK, Text: fmt.Sprintf(format, args...)}}
}

// amiss is what is a warning, an error or unknown.
func amiss(v Verdict, text, means, mend string) []Finding {
	return []Finding{{Verdict: v, Text: text, Means: means, Mend: mend}}
}

// unread is what is not known because a file, or one below it, cannot be read.
func (m *Machine) unread(name string, err error, means string) []Finding {
	return amiss(Unknown, err.Error(), means, m.mendReading(name, err))
}

// mendReading is what helps against an error in reading a file of the machine.
func (m *Machine) mendReading(name string, err error) string {
	path := m.path(name)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		path = failed.Path
	}
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return "look as root: sudo " + m.tool("preflight")
	case errors.Is(err, fs.ErrPermission):
		return "ausearch -m AVC -ts recent says whether SELinux or AppArmor keeps " + path + " from root"
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, securityfs.ProcMountPoint+"/"):
		return "mount -t proc proc " + m.path(securityfs.ProcMountPoint)
	}
	return "namei -l " + path + " shows what is in the way; dmesg, whether the disk fails"
}

// tool is the command line of one of our commands for this machine.
func (m *Machine) tool(command string) string {
	if m.Root == "" {
		return "setup_ima_digest_lists " + command
	}
	return "setup_ima_digest_lists " + command + " --root " + m.Root
}
