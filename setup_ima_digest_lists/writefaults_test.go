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
	const (
		made   = "setup_ima_digest_lists keys make --root sys --type p-256"
		master = "mkdir sys; unshare --map-root-user setup_ima_digest_lists keys master --root sys --master user"
	)
	for name, s := range map[string]struct {
		old, args string
		again     int
		apart     bool
	}{
		"make":       {old: "mkdir sys", args: "make --root sys --type p-256", again: 3},
		"make again": {old: "mkdir sys; " + made, args: "make --root sys --type p-256 --force"},
		"export":     {old: "mkdir sys; " + made + "; mv sys/etc/keys/x509_ima.der .; rm -r sys/etc", args: "export x509_ima.der --root sys --evm", again: 3},
		"master":     {old: "mkdir sys", args: "master --root sys --master user", again: 3, apart: true},
		"evm":        {old: master, args: "evm --root sys --master user", again: 3, apart: true},
		"evm again":  {old: master + "; echo old >sys/etc/keys/evm-user.blob", args: "evm --root sys --master user --force", apart: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: s.old, Command: append([]string{"setup_ima_digest_lists", "keys"}, strings.Fields(s.args)...),
				Again: s.again, Apart: s.apart, EachFile: s.again == 0, EachFact: true, Random: regexp.MustCompile(`^sys/etc/keys/[^.]`),
			}.Test(t, faulttest.Faults...)
		})
	}
}

// loaders are messages of the programs of boot loaders, in their words.
var loaders = regexp.MustCompile(`/usr/sbin/grub`)

// So do the commands that do a step of the set-up by itself, each file apart.
func TestStepFaults(t *testing.T) {
	buildTools(t)
	const (
		system = `sh "$DATA"/machine/make root; cp -r "$DATA"/keys .; `
		grub   = `sh "$DATA"/machine/make root; sh "$DATA"/machine/grub root; `
		grubby = `sh "$DATA"/machine/make root; sh "$DATA"/machine/grubby root; `
		added  = "setup_ima_digest_lists bootloader add log --root root; "
		signer = " -s -v keys/rsa2048.pem -x keys/x509_golden.der"
	)
	for name, s := range map[string]struct {
		old, args string
		again     int
	}{
		"boot entry":         {old: system, args: "bootloader add log --root root --pcr +11"},
		"other boot entry":   {old: system + added, args: "bootloader add log --root root --metadata"},
		"no boot entry":      {old: system + added, args: "bootloader remove log --root root", again: 5},
		"GRUB":               {old: grub, args: "bootloader add log --root root"},
		"other for GRUB":     {old: grub + added, args: "bootloader add log --root root --metadata"},
		"none for GRUB":      {old: grub + added, args: "bootloader remove log --root root", again: 5},
		"grubby":             {old: grubby, args: "bootloader add log --root root"},
		"none for grubby":    {old: grubby + added, args: "bootloader remove log --root root", again: 5},
		"list of the parser": {old: system, args: "parser --root root" + signer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: s.old, Command: append([]string{"setup_ima_digest_lists"}, strings.Fields(s.args)...), Again: s.again, EachFile: true, Hidden: loaders,
			}.Test(t, faulttest.Faults...)
		})
	}
}
