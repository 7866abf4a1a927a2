package coverage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrLost: what the logs have of a boot is not all that there was. What they have is of use,
// but that a file is not in them says nothing.
var ErrLost = errors.New("audit records of this boot may be lost")

// evidence is what the logs have of a boot.
type evidence struct {
	kernel  []kernelRecord // nil if there is no such log
	serials []uint64       // of the audit events in all logs
	last    uint64         // the largest serial in the kernel's log
}

// event takes an audit event; those with several records come several times.
func (e *evidence) event(serial uint64) {
	if n := len(e.serials); n == 0 || e.serials[n-1] != serial {
		e.serials = append(e.serials, serial)
	}
}

// complete returns an error that is ErrLost if something is missing, or may be. limited
// is whether the kernel prints only so many records in a time.
func (e *evidence) complete(limited bool) error {
	slices.Sort(e.serials)
	reasons := []string{overwritten(e.kernel), refusedToLog(e.kernel), gap(e.serials)}
	if n := len(e.serials); limited && n > 0 && e.serials[n-1] == e.last {
		reasons = append(reasons, brokenOff(e.kernel))
	}
	reasons = slices.DeleteFunc(reasons, func(r string) bool { return r == "" })
	if len(reasons) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrLost, strings.Join(reasons, "; "))
}

// gap says which events are in no log, or "". The kernel numbers events from 1 since boot, where
// the first one tells that it has begun to (audit_serial and audit_init in kernel/audit.c).
func gap(sorted []uint64) string {
	if len(sorted) == 0 {
		return "there is none, not even the first: this kernel was booted with audit=0, or has no CONFIG_AUDIT"
	}
	next := uint64(1)
	for _, serial := range slices.Compact(sorted) {
		if serial > next {
			return fmt.Sprintf("audit events %d to %d are in no log", next, serial-1)
		}
		next = serial + 1
	}
	return ""
}

// NoLimit is the kernel argument with which no audit record is dropped because of how many
// there are in a time (Linux 5.8 and later).
const NoLimit = "sysctl.kernel.printk_ratelimit=0"

// isLimited reports whether the kernel prints only so many records in a time. It does unless
// that was turned off when it was booted, and still is; what is not known counts as a limit.
func isLimited(root string) bool {
	booted, _ := os.ReadFile(filepath.Join(root, "/proc/cmdline"))
	now, _ := os.ReadFile(filepath.Join(root, "/proc/sys/kernel/printk_ratelimit"))
	return !slices.Contains(strings.Fields(string(booted)), NoLimit) || strings.TrimSpace(string(now)) != "0"
}

// since is from when on records are of a boot: a clock that was set later makes the time of
// boot inexact.
func since(boot time.Time) time.Time { return boot.Add(-time.Second) }
