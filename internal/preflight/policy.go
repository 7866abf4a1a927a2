package preflight

import (
	"errors"
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
	const name, unknown = securityfs.MountPoint + "/ima/policy", "the rules in force are not known"
	text, err := os.ReadFile(m.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fine("no policy can be loaded any more, or there is no IMA: the kernel has one at most from its command line")
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0:
		return amiss(Unknown, err.Error(), unknown+": most kernels do not show them",
			"boot a kernel with CONFIG_IMA_READ_POLICY=y; setup_ima_digest_lists policy check reads a policy before it is loaded")
	case err != nil:
		return m.unread(name, err, unknown)
	}
	rules := 0
	for line := range strings.Lines(string(text)) {
		if len(strings.Fields(line)) > 0 {
			rules++
		}
	}
	return fine("%d rules are in force", rules)
}

func rulesOfNextBoot(m *Machine) []Finding {
	text, err := os.ReadFile(m.path(customPolicy))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return m.unread(customPolicy, err, "whether the rules of the next boot have digest lists measured is not known")
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "measure" && slices.Contains(words, "func=DIGEST_LIST_CHECK") {
			return fine("%s measures digest lists", customPolicy)
		}
	}
	return amiss(Warning, customPolicy+" replaces the policy of the command line and does not measure digest lists", "none is taken then to measure",
		"echo '"+digestListRule+"' >> "+m.path(customPolicy))
}
