package main

import (
	"regexp"
	"strings"
	"testing"

	"digestlists/internal/faulttest"
)

const evidence = `cp -r "$DATA"/../../attest/testdata/digest-lists-plus11 ev; cp -r "$DATA"/keys .
	mkdir banks lists; echo "79594c9511c46dd9562254caecdddc7bf9224161fe5abb682192af5ec4238eba  /bin/a" >lists/0-file_list-ascii-sums
	printf '/init\n/opt/p?/busybox\n' >ours
`

// Whatever system call fails, wherever a run is killed, what it writes is there as a whole or as it was.
func TestFaults(t *testing.T) {
	const machine = " --measurements ev/binary_runtime_measurements --pcrs ev/quote.pcrs --reference ev/digest_lists --allow ours"
	for name, s := range map[string]struct{ args string }{
		"page":   {"--html page.html" + machine},
		"state":  {"--save-state state" + machine},
		"banks":  {"--evmctl-pcrs banks" + machine},
		"policy": {"--keylime-policy policy.json --reference lists --key keys/x509_golden.der"},
		"report": {"--json" + machine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: evidence, Command: append([]string{"verify_digest_lists"}, strings.Fields(s.args)...),
				EachFact: name == "banks", Random: regexp.MustCompile(`page\.html`),
			}.Test(t, faulttest.Faults...)
		})
	}
}
