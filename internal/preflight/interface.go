package preflight

import (
	"errors"
	"fmt"

	"digestlists/internal/securityfs"
)

func securityFS(m *Machine) []Finding {
	root := m.path(securityfs.MountPoint)
	there, err := exists(root + "/ima")
	switch {
	case err != nil:
		return one(Unknown, err.Error(), "")
	case there:
		return one(OK, securityfs.MountPoint+"/ima is there", "")
	}
	if there, _ := exists(root); there {
		return one(Error, "securityfs has no folder ima: it is not mounted, or IMA is not in this kernel or was not started",
			"mount -t securityfs securityfs "+securityfs.MountPoint)
	}
	return one(Unknown, "there is no "+securityfs.MountPoint+": whether the kernel has IMA is not known", "mount -t sysfs sysfs /sys")
}

func extension(m *Machine) []Finding {
	err := securityfs.Check(m.path(securityfs.MountPoint))
	switch {
	case err == nil:
		return one(OK, "the kernel has digest lists", "")
	case errors.Is(err, securityfs.ErrUnsupported):
		return one(Error, "the kernel has no digest lists: there is no ima/digest_list_data in securityfs",
			"boot a kernel with the digest list extension, such as openEuler's")
	}
	return one(Unknown, fmt.Sprintf("whether the kernel has digest lists is not known: %v", err), "")
}

func commandLine(m *Machine) []Finding {
	proc := m.path(securityfs.ProcMountPoint)
	if _, err := securityfs.ReadCommandLine(proc); err != nil {
		return one(Unknown, fmt.Sprintf("the command line of the kernel is not known: %v", err), "mount /proc")
	}
	err := securityfs.ReadSetup(m.path(securityfs.MountPoint), proc).Check(m.path(m.Dir))
	var refusal *securityfs.Refusal
	switch {
	case err == nil:
		return one(OK, "the kernel was started so that it takes digest lists", "")
	case errors.As(err, &refusal):
		return one(Warning, refusal.Reason, refusal.Change)
	}
	return one(Unknown, err.Error(), "")
}
