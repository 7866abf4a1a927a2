package preflight

import (
	"errors"

	"digestlists/internal/securityfs"
)

func securityFS(m *Machine) []Finding {
	const name, unknown = securityfs.MountPoint, "whether the kernel has IMA is not known"
	root := m.path(name)
	there, err := exists(root + "/ima")
	switch {
	case err != nil:
		return m.unread(name, err, unknown)
	case there:
		return fine("%s/ima is there", name)
	}
	if there, _ := exists(root); there {
		return amiss(Error, "securityfs has no folder ima", "it is not mounted, or IMA is not in this kernel or was not started",
			"mount -t securityfs securityfs "+root+"; if it is mounted, boot a kernel with CONFIG_IMA=y")
	}
	return amiss(Unknown, "there is no "+name, unknown, "mount -t sysfs sysfs "+m.path("/sys"))
}

func extension(m *Machine) []Finding {
	err := securityfs.Check(m.path(securityfs.MountPoint))
	switch {
	case err == nil:
		return fine("the kernel has digest lists")
	case errors.Is(err, securityfs.ErrUnsupported):
		return amiss(Error, "there is no ima/digest_list_data in securityfs", "the kernel has no digest lists, and can load none",
			"boot a kernel with the digest list extension, such as openEuler's")
	}
	return m.unread(securityfs.MountPoint, err, "whether the kernel has digest lists is not known")
}

const commandLineFile = securityfs.ProcMountPoint + "/cmdline"

func commandLine(m *Machine) []Finding {
	proc := m.path(securityfs.ProcMountPoint)
	if _, err := securityfs.ReadCommandLine(proc); err != nil {
		return m.unread(commandLineFile, err, "the command line of the kernel is not known, nor whether it takes digest lists")
	}
	err := securityfs.ReadSetup(m.path(securityfs.MountPoint), proc).Check(m.path(m.Dir))
	var refusal *securityfs.Refusal
	switch {
	case err == nil:
		return fine("the kernel was started so that it takes digest lists")
	case errors.As(err, &refusal):
		return amiss(Warning, refusal.Reason, "no list is loaded, and no file is known", refusal.Change)
	}
	return m.unread(m.Dir, err, "whether it takes digest lists from there is not known")
}
