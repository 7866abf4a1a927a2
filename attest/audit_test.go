package attest_test

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/attest"
	"digestlists/parsers/audit"

	"github.com/google/go-cmp/cmp"
)

// auditLog has uses of files that the lists of digest-lists-plus11 know, and of others.
var auditLog = strings.Join([]string{
	`type=INTEGRITY_RULE msg=audit(1700000002.000:2): file="/bin/tpm2_quote" hash="sha256:79594c9511c46dd9562254caecdddc7bf9224161fe5abb682192af5ec4238eba" pid=9 auid=1000 uid=0 comm="sh" exe="/bin/busybox"`,
	`type=INTEGRITY_RULE msg=audit(1700000003.000:3): file="/opt/tool" hash="sha256:` + strings.Repeat("ab", 32) + `" pid=10 auid=1000 uid=0 comm="sh" exe="/bin/busybox"`,
	`type=INTEGRITY_RULE msg=audit(1700000001.000:1): file="/opt/tool" hash="sha256:` + strings.Repeat("ab", 32) + `" pid=11 auid=1000 uid=0 comm="sh" exe="/bin/busybox"`,
	`type=INTEGRITY_RULE msg=audit(1700000004.000:4): file="/opt/tool" hash="sha256:` + strings.Repeat("ab", 32) + `" pid=12 auid=4294967295 uid=7 comm="sh" exe="/bin/busybox"`,
	`type=INTEGRITY_DATA msg=audit(1700000005.000:5): pid=13 uid=0 auid=1000 op=appraise_data cause=invalid-hash comm="cat" name="/etc/config" dev="vda" ino=1 res=0`,
	`type=INTEGRITY_DATA msg=audit(1700000005.500:5): pid=13 uid=0 auid=1000 op=appraise_data cause=missing-hash comm="cat" name="/etc/fixed" dev="vda" ino=1 res=1`,
	`type=INTEGRITY_PCR msg=audit(1700000006.000:6): pid=14 uid=0 auid=1000 op=invalid_pcr cause=ToMToU comm="vi" name="/opt/log" dev="vda" ino=2 res=1`,
}, "\n") + "\n"

func auditRecords(t *testing.T, log string) iter.Seq2[*audit.Record, error] {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	return attest.AuditRecords(path)
}

func auditOptions(t *testing.T) attest.Options {
	return attest.Options{References: references(t, "testdata/digest-lists-plus11/digest_lists", nil)}
}

func TestAudit(t *testing.T) {
	r := verify(t, attest.Evidence{Audit: auditRecords(t, auditLog)}, auditOptions(t))
	var got []string
	for _, f := range r.Audit.Findings {
		login := "nobody"
		if f.LoginUID != nil {
			login = fmt.Sprint(*f.LoginUID)
		}
		got = append(got, fmt.Sprintf("%s %s by %d (%s) with %s, pid %d, %d times, %d to %d: %s",
			f.Class, f.Path, *f.UID, login, f.Command, f.PID, f.Records, f.First.Unix()-17e8, f.Last.Unix()-17e8, f.Reason))
	}
	want := []string{
		"unknown /opt/tool by 0 (1000) with sh, pid 10, 2 times, 1 to 3: no reference has this digest",
		"unknown /opt/tool by 7 (nobody) with sh, pid 12, 1 times, 4 to 4: no reference has this digest",
		"refused /etc/config by 0 (1000) with cat, pid 13, 1 times, 5 to 5: appraise_data: invalid-hash, that is, its content is not that of its security.ima",
		"violation /opt/log by 0 (1000) with vi, pid 14, 1 times, 6 to 6: invalid_pcr: ToMToU, that is, it was opened for writing while it was in use as measured",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[attest.Class]int{attest.Known: 1, attest.Unknown: 3, attest.KernelRefused: 1, attest.Violation: 1}, r.Audit.Counts); diff != "" {
		t.Error(diff)
	}
	if want := []string{"1 audit records of files: refused", "3 audit records of files: unknown", "1 audit records of files: violation"}; r.Verdict != attest.NotTrusted || !slices.Equal(r.Reasons, want) {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
}

func TestAuditPolicy(t *testing.T) {
	options := auditOptions(t)
	options.Allow, options.Exclude = patterns(t, "/opt/tool\n"), patterns(t, "/etc/*\n")
	options.IgnoreViolations, options.All = true, true
	r := verify(t, attest.Evidence{Audit: auditRecords(t, auditLog)}, options)
	want := map[attest.Class]int{attest.Known: 1, attest.Allowed: 4, attest.Excluded: 1}
	if diff := cmp.Diff(want, r.Audit.Counts); diff != "" || r.Verdict != attest.Trusted {
		t.Errorf("%s: %q %s", r.Verdict, r.Reasons, diff)
	}
	if f := r.Audit.Findings[0]; f.Class != attest.Known || f.Known == nil || f.Known.List != "0-file_list-compact-base" {
		t.Errorf("got %+v", f)
	}
}

// Records add doubt to what is attested otherwise, and never take any away.
func TestAuditWithMeasurements(t *testing.T) {
	e := evidence(t, "digest-lists-plus11")
	options := auditOptions(t)
	options.Allow = patterns(t, "/init\n/opt/p?/busybox\n")
	known, _, _ := strings.Cut(auditLog, "\n")
	e.Audit = auditRecords(t, known+"\n")
	if r := verify(t, e, options); r.Verdict != attest.Trusted || r.Audit.Records != 1 || r.Attested != 57 {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
	e.Audit = auditRecords(t, auditLog)
	if r := verify(t, e, options); r.Verdict != attest.NotTrusted || len(r.Reasons) != 3 {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
	options.Allow = nil
	e.Audit = auditRecords(t, known+"\n")
	if r := verify(t, e, options); r.Verdict != attest.NotTrusted || r.Reasons[0] != "4 unknown" {
		t.Errorf("%s: %q", r.Verdict, r.Reasons)
	}
}

func TestAuditOfNothing(t *testing.T) {
	for name, log := range map[string]string{"empty": "", "other records": "type=SYSCALL msg=audit(1.2:3): arch=1\n"} {
		r := verify(t, attest.Evidence{Audit: auditRecords(t, log)}, auditOptions(t))
		if r.Verdict != attest.Nothing || r.Reasons[0] != "the audit log has no record of a file" {
			t.Errorf("%s: %s: %q", name, r.Verdict, r.Reasons)
		}
	}
	r := verify(t, attest.Evidence{Audit: auditRecords(t, auditLog)}, attest.Options{})
	if r.Verdict != attest.Nothing {
		t.Errorf("no references: %s: %q", r.Verdict, r.Reasons)
	}
}

func TestBadAudit(t *testing.T) {
	_, err := attest.Verify(attest.Evidence{Audit: auditRecords(t, auditLog+"type=INTEGRITY_RULE msg=audit(1.2:3): file=\n")}, auditOptions(t))
	if !errors.Is(err, attest.ErrMalformed) || !strings.Contains(err.Error(), "audit.log: line 8") {
		t.Errorf("got %v", err)
	}
	if _, err := attest.Verify(attest.Evidence{Audit: attest.AuditRecords("testdata/nowhere")}, auditOptions(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func patterns(t *testing.T, text string) *attest.Patterns {
	t.Helper()
	p, err := attest.ParsePatterns([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
