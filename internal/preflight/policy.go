package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"digestlists/internal/securityfs"
)

// customPolicy is a policy that the initramfs and systemd load.
const customPolicy = "/etc/ima/ima-policy"

const digestListRule = "measure func=DIGEST_LIST_CHECK"

// policy looks at the rules in force, and at those of the next boot.
func policy(m *Machine) []Finding {
	return append(rulesInForce(m), rulesOfNextBoot(m)...)
}

func rulesInForce(m *Machine) []Finding {
	text, err := os.ReadFile(m.path(securityfs.MountPoint + "/ima/policy"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return one(OK, "no policy can be loaded any more, or there is no IMA: the kernel has one at most from its command line", "")
	case err != nil:
		return one(Unknown, fmt.Sprintf("the rules in force are not known: %v (most kernels do not show them)", err), "")
	}
	rules := 0
	for line := range strings.Lines(string(text)) {
		if len(strings.Fields(line)) > 0 {
			rules++
		}
	}
	return one(OK, fmt.Sprintf("%d rules are in force", rules), "")
}

func rulesOfNextBoot(m *Machine) []Finding {
	text, err := os.ReadFile(m.path(customPolicy))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return one(Unknown, err.Error(), "")
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "measure" && slices.Contains(words, "func=DIGEST_LIST_CHECK") {
			return one(OK, customPolicy+" measures digest lists", "")
		}
	}
	return one(Warning, customPolicy+" replaces the policy of the command line and does not measure digest lists: none is taken then to measure",
		"echo '"+digestListRule+"' >> "+customPolicy)
}
