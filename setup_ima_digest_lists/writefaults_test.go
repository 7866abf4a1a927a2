package main

import (
	"regexp"
	"strings"
	"testing"

	"digestlists/internal/faulttest"
)

// Whatever system call fails, keys and certificates are there together, or as they were. Killed between their two
// renames, a run leaves one of them.
func TestKeyFaults(t *testing.T) {
	t.Parallel()
	const made = "setup_ima_digest_lists keys make --root sys --type p-256"
	for name, s := range map[string]struct {
		old, args string
		again     int
	}{
		"make":       {old: "mkdir sys", args: "make --root sys --type p-256", again: 3},
		"make again": {old: "mkdir sys; " + made, args: "make --root sys --type p-256 --force"},
		"export":     {old: "mkdir sys; " + made + "; mv sys/etc/keys/x509_ima.der .; rm -r sys/etc", args: "export x509_ima.der --root sys --evm", again: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: s.old, Command: append([]string{"setup_ima_digest_lists", "keys"}, strings.Fields(s.args)...),
				Again: s.again, EachFile: s.again == 0, EachFact: true, Random: regexp.MustCompile(`^sys/etc/keys/[^.]`),
			}.Test(t, faulttest.Faults...)
		})
	}
}
