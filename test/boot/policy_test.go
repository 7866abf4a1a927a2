package boot_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

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
const tryRules = `for f in /rules/%s/*; do exec 3>/sys/kernel/security/ima/policy || exit 1; ` +
	`cat $f >&3 2>/dev/null && echo ${f##*/}; echo none >&3 2>/dev/null && exit 1; exec 3>&-; done`

// What internal/imapolicy takes and refuses is what a kernel takes and refuses.
func TestPolicyRules(t *testing.T) {
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	dir := boot.Folder(t)
	var files []boot.File
	rules := map[string][]string{}
	for _, name := range []string{"accepted", "refused"} {
		rules[name] = policyRules(t, name)
		for i, rule := range rules[name] {
			files = append(files, boot.Regular(fmt.Sprintf("/rules/%s/%03d", name, i), []byte(rule+"\n")))
		}
	}
	g := boot.Boot(t, dir, boot.Machine{Kernel: kernel, Initrd: boot.Minimal(t, dir, append(files, boot.Device("/dev/null", 1, 3))...)})
	g.Must(t, "mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security")
	for name, list := range rules {
		taken := map[string]bool{}
		for _, file := range strings.Fields(g.Must(t, fmt.Sprintf(tryRules, name))) {
			taken[file] = true
		}
		for i, rule := range list {
			if got, want := taken[fmt.Sprintf("%03d", i)], name == "accepted"; got != want {
				t.Errorf("%s: %q: taken is %v", name, rule, got)
			}
		}
	}
}
