package preflight

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"digestlists/internal/imapolicy"
	"digestlists/internal/kernelconfig"
	"digestlists/internal/xattr"
)

// fileSystems looks at where programs and lists are: whether attributes are kept there,
// and whether the kernel notices each change of a file.
func fileSystems(m *Machine) []Finding {
	mounts, err := os.ReadFile(m.path("/proc/mounts"))
	if err != nil {
		return m.unread("/proc/mounts", err, "file systems are not known, nor whether they keep signatures")
	}
	var findings []Finding
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[1] != "/" && f[1] != "/usr" && f[1] != "/etc" && f[1] != "/var" {
			continue
		}
		findings = append(findings, mount(m, f[1], f[2], f[3])...)
	}
	if len(findings) == 0 {
		return fine("file systems keep attributes and notice changes, as far as they are looked at")
	}
	return findings
}

// versionsAlways is the first kernel on which ext4 counts changes without being told so
// ("ext4: unconditionally enable the i_version counter").
var versionsAlways = imapolicy.Version{Major: 6, Minor: 1}

func mount(m *Machine, where, kind, options string) []Finding {
	var findings []Finding
	_, err := xattr.Get(m.path(where), "security.ima")
	switch {
	case errors.Is(err, xattr.ErrUnsupported):
		findings = amiss(Error, where+" ("+kind+") keeps no security attributes", "signatures and what appraisal writes are lost",
			"use a file system that does, such as ext4 or xfs")
	case err != nil && !errors.Is(err, xattr.ErrAbsent) && !missing(err):
		findings = m.unread(where, err, "whether signatures are kept there is not known")
	}
	version, err := imapolicy.ParseVersion(kernelconfig.Version(m.Root))
	old := err != nil || version.Major < versionsAlways.Major || version.Major == versionsAlways.Major && version.Minor < versionsAlways.Minor
	if strings.HasPrefix(kind, "ext") && old && !strings.Contains(","+options+",", ",i_version,") {
		findings = append(findings, amiss(Warning, where+" ("+kind+") is mounted without i_version",
			"a file that is changed while it is in use may not be measured or appraised again",
			"mount -o remount,i_version "+where+", and add iversion to it in /etc/fstab")...)
	}
	return findings
}

// initramfsRoot looks at what the initramfs is unpacked to.
func initramfsRoot(m *Machine) []Finding {
	text, err := os.ReadFile(m.path(commandLineFile))
	if err != nil {
		return m.unread(commandLineFile, err, "the command line of the kernel is not known, nor whether the initramfs keeps signatures")
	}
	var root, tmpfs bool
	for _, word := range strings.Fields(string(text)) {
		root = root || strings.HasPrefix(word, "root=")
		tmpfs = tmpfs || word == "initramtmpfs"
	}
	if root && !tmpfs {
		return amiss(Warning, "the initramfs is unpacked to ramfs, which keeps no attributes", "signatures of lists are lost, and the kernel loads none there",
			"boot with initramtmpfs; the entries that setup_ima_digest_lists adds do")
	}
	return fine("the initramfs is unpacked to tmpfs, which keeps attributes")
}

// missing reports whether a file is not there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
