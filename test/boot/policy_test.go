package boot_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/imapolicy"
	"digestlists/internal/imapolicy/ready"
	"digestlists/test/boot"
)

// policyRules reads a file of rules of internal/imapolicy, and drops the columns.
func policyRules(t *testing.T, name string) (rules []string) {
	t.Helper()
	text, err := os.ReadFile("../../internal/imapolicy/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		rule := strings.TrimSuffix(line, "\n")
		if name == "refused" {
			_, rule, _ = strings.Cut(rule, "\t")
		}
		if strings.HasPrefix(rule, `"`) {
			if rule, err = strconv.Unquote(rule); err != nil {
				t.Fatal(err)
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// tryRules writes each file of a folder to the policy, and prints the names of those
// that are taken. The rule that nobody takes, after it, makes the kernel forget what
// was written: this one takes a single policy until the next boot.
const tryRules = `for f in /rules/*; do exec 3>/sys/kernel/security/ima/policy || exit 1; ` +
	`cat $f >&3 2>/dev/null && echo ${f##*/}; echo none >&3 2>/dev/null && exit 1; exec 3>&-; done`

// What internal/imapolicy takes and refuses, for the version and configuration of the
// kernel, is what the kernel takes and refuses.
func TestPolicyRules(t *testing.T) {
	dir := boot.Folder(t)
	rules := slices.Concat(policyRules(t, "accepted"), policyRules(t, "refused"))
	for _, p := range readyPolicies(t) {
		rules = append(rules, strings.TrimSuffix(string(p.Content), "\n"))
	}
	var files []boot.File
	for i, rule := range rules {
		files = append(files, boot.Regular(fmt.Sprintf("/rules/%03d", i), []byte(rule+"\n")))
	}
	g := bootSetup(t, dir, files...)
	taken := strings.Fields(g.Must(t, tryRules))
	count := map[bool]int{}
	for i, rule := range rules {
		_, refusal := imapolicy.Parse([]byte(rule+"\n"), checkedKernel(t))
		got, want := slices.Contains(taken, fmt.Sprintf("%03d", i)), refusal == nil
		if got != want {
			t.Errorf("%q: taken is %v, the checker says %v", rule, got, refusal)
		}
		count[got]++
	}
	if count[true] < 60 || count[false] < 60 {
		t.Errorf("%d rules were taken and %d refused, want 60 of each", count[true], count[false])
	}
	// What keeps root from running things is refused, and would do so.
	out, code := g.Run(t, "setup policy load appraise-exec")
	if code != 1 || !strings.Contains(out, "/bin/busybox: it has no security.ima (line 3: appraise func=BPRM_CHECK") ||
		!strings.Contains(out, "error: 2 of 2 files that root runs now would be refused") {
		t.Errorf("exit %d: %s", code, out)
	}
	g.Must(t, "/bin/ls /")
	g.Must(t, "setup policy load appraise-exec --force")
	if out, code := g.Run(t, "/bin/ls /"); code != 126 || !strings.Contains(out, "Permission denied") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// checkedKernel returns the kernel of the guests as the checker knows it.
func checkedKernel(t *testing.T) *imapolicy.Kernel {
	t.Helper()
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	checked, err := imapolicy.Running(filepath.Join(kernel.Modules, "../.."))
	if err != nil {
		t.Fatal(err)
	}
	checked.DigestLists = kernel.DigestLists
	return checked
}

func readyPolicies(t *testing.T) []ready.Policy {
	t.Helper()
	all, err := ready.All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// bootSetup boots a guest with setup_ima_digest_lists as setup.
func bootSetup(t *testing.T, dir string, files ...boot.File) *boot.Guest {
	t.Helper()
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	files = append(files,
		boot.Program("/bin/setup", build(t, dir, "../../setup_ima_digest_lists")),
		boot.Device("/dev/null", 1, 3), boot.Device("/dev/tty", 5, 0),
	)
	g := boot.Boot(t, dir, boot.Machine{Kernel: kernel, Initrd: boot.Minimal(t, dir, files...)})
	g.Must(t, "mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security")
	return g
}

// A user runs only what is signed with a key that was made for it.
func TestUserRunsOnlySigned(t *testing.T) {
	dir := boot.Folder(t)
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	name := "IMA digest lists"
	if kernel.TrustedKeyring {
		name = "x509_ima"
		authority{dir, boot.Authority(t)}.certify(t, name)
	} else {
		tool(t, dir, "setup_ima_digest_lists", "keys", "make", "--key", "x509_ima.pem", "--cert", "x509_ima.der")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "true", program)
	hosttest.Run(t, dir, "evmctl", "ima_sign", "--sigfile", "-a", "sha256", "-k", "x509_ima.pem", "true")
	policy, err := ready.Find("user-signed")
	if err != nil {
		t.Fatal(err)
	}
	// The keyring _ima is looked for in those of the process that needs it first, and
	// then known to the kernel: that process has to be root's.
	text := append(policy.Content, "appraise func=FILE_CHECK fowner=7 appraise_type=imasig\n"...)
	g := bootSetup(t, dir,
		boot.Regular("/etc/passwd", []byte("root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n")),
		boot.Regular("/etc/keys/x509_ima.der", read(t, dir, "x509_ima.der")),
		boot.Regular("/signature", read(t, dir, "true.sig")),
		boot.Regular("/policy", text), boot.Regular("/open", bytes.TrimSuffix(text, []byte("\n"))),
		boot.Program("/bin/setfattr", build(t, dir, "./guest/setfattr")),
	)
	if out := g.Must(t, "setup keys check"); out != "" {
		t.Errorf("keys check: %s", out)
	}
	g.Must(t, "setup keys import")
	if out := g.Must(t, "cat /proc/keys"); !strings.Contains(out, "asymmetri "+name+": ") {
		t.Errorf("no certificate among the keys:\n%s", out)
	}
	g.Must(t, "mkdir -p /signed /plain && cp /bin/busybox /signed/true && cp /bin/busybox /plain/true && cp /bin/busybox /first && chown 7 /first")
	g.Must(t, "setfattr security.ima /signature /signed/true /first")

	if out, code := g.Run(t, "setup policy load --by-path /open"); code != 1 || !strings.Contains(out, "the last line has no end") {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, code := g.Run(t, "echo /open >/sys/kernel/security/ima/policy"); code == 0 {
		t.Errorf("the kernel takes a policy whose last line has no end, by its path: %s", out)
	}
	if out, code := g.Run(t, "setup policy load --by-path /policy"); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	g.Must(t, "cat /first >/dev/null")
	g.Must(t, "/plain/true")
	g.Must(t, "su -s /signed/true user -c x")
	if out, code := g.Run(t, "su -s /plain/true user -c x"); code == 0 || !strings.Contains(out, "Permission denied") {
		t.Errorf("exit %d: %s", code, out)
	}
	out, code := g.Run(t, "setup policy load tcb")
	if again := code == 0 && out == ""; again != kernel.MorePolicies || !again && (code != 3 || !strings.Contains(out, "takes no policy until the next boot")) {
		t.Errorf("exit %d: %s", code, out)
	}
}
