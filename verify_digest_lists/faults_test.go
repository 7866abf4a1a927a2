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
	mkdir signed; cp keys/x509_golden.der signed/0-key_list-x509; for n in 1 2 3; do cp "$DATA"/bad/compact-ok signed/$n-file_list-compact-$n; done
	for f in signed/*; do evmctl ima_sign --key keys/rsa2048.pem "$f"; done
`

// Whatever system call fails, wherever a run is killed, what it writes is there as a whole or as it was.
func TestFaults(t *testing.T) {
	const machine = " --measurements ev/binary_runtime_measurements --pcrs ev/quote.pcrs --reference ev/digest_lists --allow ours"
	for name, s := range map[string]struct {
		args  string
		check bool
	}{
		"page":       {args: "--html page.html" + machine},
		"state":      {args: "--save-state state" + machine},
		"banks":      {args: "--evmctl-pcrs banks" + machine},
		"policy":     {args: "--keylime-policy policy.json --reference lists --key keys/x509_golden.der"},
		"report":     {args: "--json" + machine},
		"verdict":    {machine[1:], true},
		"signatures": {"-d signed --key keys/x509_golden.der", true},
		"and more":   {"-d signed -v --key keys/x509_golden.der --rpm-keys keys/RPM-GPG-KEY-golden", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: evidence, Command: append([]string{"verify_digest_lists"}, strings.Fields(s.args)...),
				EachFact: name == "banks", Check: s.check, InParts: s.check, Random: regexp.MustCompile(`page\.html`),
			}.Test(t, faulttest.Faults...)
		})
	}
}
