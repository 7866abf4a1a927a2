// Package audit reads what the kernel's integrity subsystem has written to the audit log:
// which files were used, by whom and with which digest, and which ones were refused.
//
// The records are taken from
//
//   - audit.log, as auditd writes it, plain or enriched, with or without names of nodes:
//     type=INTEGRITY_RULE msg=audit(1724272003.040:450): file="/bin/ls" hash="sha256:…" …
//   - the kernel's log, where no auditd runs: lines of dmesg, syslog or /dev/kmsg with
//     audit: type=1805 audit(1724272003.040:450): file="/bin/ls" hash="sha256:…" …
//   - `journalctl -o export`, from its transports audit and kernel.
//
// Records of other types are passed over. A record of these types that cannot be read is an
// error, since a file may be in it that nobody hears of otherwise.
//
// Names that hold spaces, quotes, control characters or bytes above 126 are in hexadecimal
// digits without quotes; `(null)` and `?` are no name.
//
// Sources: include/uapi/linux/audit.h, security/integrity/integrity_audit.c,
// ima_audit_measurement in security/integrity/ima/ima_api.c and kernel/audit.c of the
// kernel, for what fields there are; the Journal Export Format of systemd.
package audit
