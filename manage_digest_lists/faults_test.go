package main

import (
	"strings"
	"testing"

	"digestlists/internal/faulttest"
)

const inputs = `cp -r "$DATA"/keys "$DATA"/mix "$DATA"/signed "$DATA"/rpms .
`

// intact has files with the metadata that a list says.
const intact = inputs + `
	mkdir -p tree/bin; for f in a b c d; do echo $f >tree/bin/$f; done
	chmod 4755 tree/bin/a; chown 7:8 tree/bin/b; setcap cap_net_raw+ep tree/bin/c
	gen_digest_lists -d tlv -t metadata -f compact -A tree -i I:tree -i i: -i x: -i x:evm -T -o append
`

// tree has files that are not as a list says.
const tree = intact + `
	chmod 755 tree/bin/a; chown 0:0 tree/bin/b; setcap -r tree/bin/c; setfattr -x security.ima tree/bin/d
`

// installed has a package that carries signatures of its files.
const installed = inputs + `
	mkdir root; rpm --root "$PWD/root" --dbpath /var/lib/rpm --nosignature --noplugins -i signed/files-1-1.noarch.rpm
`

// cached has lists of the Integrity Digest Cache.
const cached = inputs + `
	mkdir -p root/usr root/etc/digest_lists; printf a >root/usr/a; printf b >root/usr/b
	gen_digest_lists -d lists -A root -f compact -i I:root/usr/a -i f:tlv -t file -o append -s -k keys/rsa2048.pem
	gen_digest_lists -d lists -A root -f compact -i I:root/usr/b -i f:tlv -t file -o append -s -k keys/rsa2048.pem
`

// marked has them in the cache, their files name them, and a machine has measured them in another order.
const marked = cached + `manage_digest_lists -d lists -p write-cache --root root; manage_digest_lists -p add-list-xattr --root root
	for l in b a; do echo "10 $(printf %040d 1) ima-ng sha256:$(printf %064d 1) /etc/digest_lists/tlv-$l"; done >measured
`

const vendors = inputs + `
	gen_digest_lists -d lists -f rpm+pkg -i rpms/g256-1.2-3.x86_64.pgpsigned.rpm -t file -o append
`

// Whatever system call fails, wherever a run is killed, files are as they were or as they should be.
func TestFaults(t *testing.T) {
	buildTools(t)
	for name, s := range map[string]struct {
		old, args string
		eachFile  bool
		again     int
		check     bool
	}{
		"convert":               {old: tree, args: "-d tlv -p add-digest -o out"},
		"add to a table":        {old: tree, args: "-d tlv -p add-digest --emulate table"},
		"dump":                  {old: tree, args: "-d tlv -p dump --json -o out"},
		"predict":               {old: tree, args: "-d tlv -p gen-ima-list --root tree -o out"},
		"set attributes":        {old: tree, args: "-d tlv --root tree -p add-ima-xattr -j 1", eachFile: true},
		"remove attributes":     {old: tree, args: "-d tlv --root tree -p rm-ima-xattr -j 1", eachFile: true},
		"repair":                {old: tree, args: "-d tlv --root tree -p repair-meta -j 1", eachFile: true},
		"remove EVM's":          {old: intact, args: "-d tlv --root tree -p rm-evm-xattr -j 1", eachFile: true},
		"set EVM's":             {old: intact + "for f in a b c d; do setfattr -x security.evm tree/bin/$f; done", args: "-d tlv --root tree -p add-evm-xattr -j 1", eachFile: true},
		"remove infoflow's":     {old: intact + "for f in a b; do setfattr -n security.infoflow -v x tree/bin/$f; done", args: "-d tlv --root tree -p rm-infoflow-xattr -j 1", eachFile: true},
		"repair lists":          {old: tree + "rm mix/*.sig; chmod 600 mix/1-file*; chown 5 mix/0-*", args: "-d mix -p repair-meta-digest-lists --root nothing", eachFile: true},
		"sign files":            {old: installed, args: "-p apply-signatures --root root --cert keys/x509_golden.der -j 1", eachFile: true},
		"write a cache":         {old: cached, args: "-d lists -p write-cache --root root", eachFile: true},
		"move signatures":       {old: vendors, args: "-d lists -p convert-rpm on-disk --rpm-keys keys/RPM-GPG-KEY-golden"},
		"name lists of files":   {old: cached + "manage_digest_lists -d lists -p write-cache --root root", args: "-p add-list-xattr --root root", eachFile: true},
		"number lists of files": {old: marked, args: "-p add-seqnum --root root -i measured", eachFile: true},
		"unname lists of files": {old: marked, args: "-p rm-list-xattr --root root", eachFile: true, again: 5},

		"look at files":      {old: intact, args: "-d tlv --root tree -p check-meta -j 1", check: true},
		"look at signatures": {old: installed + "manage_digest_lists -p apply-signatures --root root --cert keys/x509_golden.der\n", args: "-p check-signatures --root root --cert keys/x509_golden.der -j 1", check: true},
		"count":              {old: intact, args: "-d tlv -p stats", check: true},
		"compare":            {old: intact, args: "-p diff tlv tlv", check: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Old: s.old, Command: append([]string{"manage_digest_lists"}, strings.Fields(s.args)...),
				Again: s.again, EachFile: s.eachFile, EachFact: name == "repair", InParts: true, Check: s.check,
			}.Test(t, faulttest.Faults...)
		})
	}
}
