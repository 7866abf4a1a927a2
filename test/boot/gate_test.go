package boot_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/test/boot"
)

var saveLogs = flag.String("kernel-logs", "", "`FOLDER` in which to keep what the kernels of the gate test have in /dev/kmsg")

// A kernel whose log does not have all of this boot, for whatever reason, is not ready to
// enforce; one whose log does fails only because the tests' kernel loads no lists.
func TestGateNoticesLostRecords(t *testing.T) {
	const noLimit = "sysctl.kernel.printk_ratelimit=0"
	refuse := "cat /t/* >/dev/null"
	for _, tt := range []struct {
		name    string
		options []string
		do      string
		reason  string
		refused int // or some of them, if it is negative
	}{
		{"whole", []string{noLimit, "audit_backlog_limit=8192", "log_buf_len=4M"}, refuse, "no list was loaded", 40},
		{"limited", nil, refuse, "the last 10 audit records are of the same 5s", -1},
		{"overwritten", []string{noLimit}, refuse + "; for i in $(seq 6000); do echo flood $i >/dev/kmsg; done", "of the kernel's log were overwritten", 0},
		{"lost", []string{noLimit, "audit=1", "audit_backlog_limit=1"}, refuse, "the kernel has dropped audit records: audit: audit_lost=1 ", 40},
		{"off", []string{"audit=0"}, refuse, "booted with audit=0", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := logged(t, tt.options)
			g.Must(t, tt.do)
			out, code := g.Run(t, "setup_ima_digest_lists gate --json")
			var got struct {
				Ready        bool
				Reason, Mend string
				Refused      []struct{ Path string }
			}
			if _, text, ok := strings.Cut(out, "{"); ok {
				if err := json.NewDecoder(strings.NewReader("{" + text)).Decode(&got); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			n := len(got.Refused)
			if tt.refused < 0 && n > 0 && n < 40 {
				n = tt.refused
			}
			if code != 1 || got.Ready || !strings.Contains(got.Reason, tt.reason) || got.Mend == "" || n != tt.refused {
				t.Errorf("exit %d, want the reason %q and %d files: %s", code, tt.reason, tt.refused, out)
			}
			if *saveLogs != "" {
				log := g.Must(t, "sleep 6; cat /t/1 >/dev/null; timeout 2 cat /dev/kmsg | cat")
				if err := os.WriteFile(filepath.Join(*saveLogs, tt.name), []byte(log+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// logged boots a machine in log mode on which 40 files are ready to be refused.
func logged(t *testing.T, options []string) *boot.Guest {
	t.Helper()
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	const policy = "appraise func=FILE_CHECK mask=MAY_READ fsmagic=0x01021994 fowner=7\n"
	dir := boot.Folder(t)
	g := boot.Boot(t, dir, boot.Machine{
		Kernel: kernel, Options: append(options, "ima_appraise=log", "ima_appraise_digest_list=digest"),
		Initrd: boot.Minimal(t, dir, boot.Regular("/policy", []byte(policy)), boot.Dir("/t"), boot.Dir(lists),
			boot.Device("/dev/null", 1, 3), boot.Device("/dev/kmsg", 1, 11),
			boot.Program("/usr/bin/setup_ima_digest_lists", build(t, dir, "../../setup_ima_digest_lists"))),
	})
	g.Must(t, "mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security && mount -t tmpfs tmpfs /t")
	g.Must(t, "for i in $(seq 40); do echo $i >/t/$i; chown 7 /t/$i; done; cat /policy >/sys/kernel/security/ima/policy")
	return g
}
