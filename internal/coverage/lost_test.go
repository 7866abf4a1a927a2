package coverage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kept returns what a kernel had in its log: see testdata/kmsg/README.
func kept(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/kmsg", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// part returns the lines of a text before the first one with a word, and from there on.
func part(t *testing.T, text, word string) (before, from string) {
	t.Helper()
	i := strings.Index(text, word)
	if i < 0 {
		t.Fatalf("no %q", word)
	}
	i = strings.LastIndex(text[:i], "\n") + 1
	return text[:i], text[i:]
}

// asAuditLog is what auditd would have written of the records in a kernel's log.
func asAuditLog(log string) string {
	var out strings.Builder
	for line := range strings.Lines(log) {
		if _, record, ok := strings.Cut(line, ";audit: type="); ok {
			number, rest, _ := strings.Cut(record, " ")
			out.WriteString("type=UNKNOWN[" + number + "] msg=" + rest)
		}
	}
	return out.String()
}

// The log of a boot counts only as a whole.
func TestLostRecords(t *testing.T) {
	const noLimit = "ima_appraise=log " + NoLimit
	whole, limited := kept(t, "whole"), kept(t, "limited")
	burst, _ := part(t, limited, "callbacks suppressed")
	wholeBurst, _ := part(t, whole, ":44): ")
	start, end := part(t, whole, ":4): ") // of the first refusal
	_, middle := part(t, whole, ":20): ")
	_, later := part(t, middle, ":21): ")
	for _, tt := range []struct {
		name, kmsg, auditd, cmdline, ratelimit string
		reason                                 string // or "", if all is there
		files                                  int
	}{
		{"all is printed", whole, "", noLimit, "0", "", 40},
		{"all is printed, in a burst", wholeBurst, "", noLimit, "0", "", 40},
		{"the limit is back", wholeBurst, "", noLimit, "5", "the last 10 audit records are of the same 5s", 40},
		{"the limit was there before", wholeBurst, "", "quiet", "0", "the last 10 audit records are of the same 5s", 40},
		{"limited", limited, "", "", "5", "audit events 11 to 43 are in no log", 7},
		{"limited, not yet announced", burst, "", "", "5", "the last 10 audit records are of the same 5s", 7},
		{"overwritten", kept(t, "overwritten"), "", noLimit, "0", "of the kernel's log were overwritten", 0},
		{"overwritten while it was read", strings.Replace(whole, end, later, 1), "", noLimit, "0", "were overwritten; audit events 4 to 20 are in no log", 24},
		{"dropped by the kernel", kept(t, "lost"), "", noLimit, "0", "the kernel has dropped audit records: audit: audit_lost=1 audit_rate_limit=0 audit_backlog_limit=1", 0},
		{"no audit", kept(t, "off"), "", noLimit, "0", "booted with audit=0", 0},
		{"empty", "", "", noLimit, "0", "booted with audit=0", 0},
		{"auditd has the rest", start, asAuditLog(end), "", "5", "", 40},
		{"auditd has a part of the rest", start, asAuditLog(later), "", "5", "are in no log", 24},
		{"auditd has what was not printed", burst, asAuditLog(end), "", "5", "", 40},
		{"auditd has its own numbers", start, asAuditLog(end) + "type=DAEMON_END msg=audit(1795652400.1:9999): op=terminate\n", "", "5", "", 40},
	} {
		root := booted(t)
		write(t, root, "dev/kmsg", tt.kmsg)
		write(t, root, "proc/cmdline", tt.cmdline+"\n")
		write(t, root, "proc/sys/kernel/printk_ratelimit", tt.ratelimit+"\n")
		if tt.auditd != "" {
			write(t, root, "var/log/audit/audit.log", tt.auditd)
		}
		files, err := Refused(root)
		if tt.reason == "" && err != nil || tt.reason != "" && (!errors.Is(err, ErrLost) || !strings.Contains(err.Error(), tt.reason)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.reason)
		}
		if len(files) != tt.files {
			t.Errorf("%s: %d files, want %d", tt.name, len(files), tt.files)
		}
	}
}

// What is no kernel's log says nothing, and is no reason to go on.
func TestNotAKernelLog(t *testing.T) {
	for _, text := range []string{"21\n", "5,0,0;no flags\n", "5,x,0,-;text\n", "5,0,0,-\n", "\n"} {
		root := booted(t)
		write(t, root, "dev/kmsg", text)
		if files, err := Refused(root); err == nil || files != nil || !strings.Contains(err.Error(), "/dev/kmsg: ") {
			t.Errorf("%q: %v, %v", text, files, err)
		}
	}
}
