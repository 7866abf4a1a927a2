package boot_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/audit"
	"digestlists/test/boot"

	"github.com/google/go-cmp/cmp"
)

var saveLog = flag.String("kernel-log", "", "`FILE` in which to keep the kernel's log of the audit test")

// A kernel that audits and appraises files says so in its log where no auditd runs, and
// what it says is understood.
func TestAudited(t *testing.T) {
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	const policy = "audit func=BPRM_CHECK\n" +
		"appraise func=FILE_CHECK mask=MAY_READ fsmagic=0x01021994 fowner=7\n"
	dir := boot.Folder(t)
	g := boot.Boot(t, dir, boot.Machine{
		Kernel: kernel, Initrd: boot.Minimal(t, dir, boot.Regular("/policy", []byte(policy)), boot.Dir("/t")), Options: []string{"ima_appraise=enforce", "audit=1"},
	})
	g.Must(t, "mount -t proc proc /proc && echo 0 >/proc/sys/kernel/printk_ratelimit")
	g.Must(t, "mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security && mount -t tmpfs tmpfs /t")
	program := []byte("#!/bin/busybox sh\nexit 0\n")
	g.Must(t, "printf '#!/bin/busybox sh\\nexit 0\\n' >/t/plain && cp /t/plain '/t/with a space' && cp /t/plain /t/caf\xc3\xa9 && chmod 755 /t/*")
	g.Must(t, "echo data >/t/refused && chown 7 /t/refused && cat /policy >/sys/kernel/security/ima/policy")
	g.Must(t, "/t/plain && '/t/with a space' && /t/caf\xc3\xa9")
	if out, code := g.Run(t, "cat /t/refused"); code == 0 {
		t.Errorf("appraisal let %q be read", out)
	}
	log := g.Must(t, "dmesg")
	if *saveLog != "" {
		if err := os.WriteFile(*saveLog, []byte(log), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	sum := sha256.Sum256(program)
	for r := audit.NewReader(strings.NewReader(log)); ; {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(record.Path, "/t/") {
			continue
		}
		got = append(got, fmt.Sprint(record.Type, " ", record.Path, " ", record.Algorithm == compact.SHA256 && bytes.Equal(record.Digest, sum[:]),
			" ", record.Operation, " ", record.Cause, " ", record.Success, " ", record.UID))
	}
	want := []string{
		"INTEGRITY_RULE /t/plain true   true 0", "INTEGRITY_RULE /t/with a space true   true 0", "INTEGRITY_RULE /t/café true   true 0",
		"INTEGRITY_DATA /t/refused false appraise_data missing-hash false 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, log)
	}
}
