package capability

import (
	"strconv"
	"strings"
)

// names are the capabilities in the kernel's order: include/uapi/linux/capability.h.
var names = [...]string{
	"cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid",
	"cap_kill", "cap_setgid", "cap_setuid", "cap_setpcap", "cap_linux_immutable",
	"cap_net_bind_service", "cap_net_broadcast", "cap_net_admin", "cap_net_raw", "cap_ipc_lock",
	"cap_ipc_owner", "cap_sys_module", "cap_sys_rawio", "cap_sys_chroot", "cap_sys_ptrace",
	"cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice", "cap_sys_resource",
	"cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write",
	"cap_audit_control", "cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog",
	"cap_wake_alarm", "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf",
	"cap_checkpoint_restore",
}

// named are the bits of "all".
const named = uint64(1)<<len(names) - 1

func nameOf(n int) string {
	if n < len(names) {
		return names[n]
	}
	return strconv.Itoa(n)
}

// maskOf returns the bit of a name or number, or the bits of "all". Numbers are as
// strtoul(3) takes them: decimal, 0 and octal, or 0x and hexadecimal.
func maskOf(name string) (mask uint64, ok bool) {
	if strings.EqualFold(name, "all") {
		return named, true
	}
	for n, known := range names {
		if strings.EqualFold(name, known) {
			return 1 << n, true
		}
	}
	return maskOfNumber(name)
}

func maskOfNumber(text string) (mask uint64, ok bool) {
	base := 10
	switch {
	case len(text) > 1 && (text[:2] == "0x" || text[:2] == "0X"):
		text, base = text[2:], 16
	case len(text) > 1 && text[0] == '0':
		text, base = text[1:], 8
	}
	n, err := strconv.ParseUint(text, base, 64)
	if err != nil || n >= 64 {
		return 0, false
	}
	return 1 << n, true
}
