package main

import (
	"regexp"
	"strings"
	"testing"

	"digestlists/internal/faulttest"
)

const some = `
	mkdir tmp; cp -r "$DATA"/keys "$DATA"/db "$DATA"/rpms .
	mkdir mine tree; echo mine >mine/file; echo two >tree/two; echo three >tree/three`

// synced has the lists of a database that has changed since, and their vendors' signatures apart.
const synced = some + `
	gen_digest_lists -d lists -f rpm+db --db db/sqlite -t file --sync
	gen_digest_lists -d lists -f compact -i mine -t file -o append`

// fewer has three lists, each with a signature.
const fewer = some + `
	rm rpms/gsha512*
	gen_digest_lists -d lists -f rpm+pkg -i rpms -t file -o append`

const signer = "-s -k keys/rsa2048.pem --cert keys/x509_golden.der"

// SQLite says only what it could not do. A page that it could not read, it takes for damage.
var sqlite = regexp.MustCompile(`SQLITE_|disk image is malformed`)

// Whatever system call fails, wherever a run is killed, the directory is as it was or as it should be.
func TestFaults(t *testing.T) {
	for name, s := range map[string]struct {
		old, args string
		again     int
		eachFile  bool
	}{
		"first list":          {old: some, args: "-d etc/lists -f compact -i mine -t file -o append"},
		"packages":            {old: some, args: "-d lists -f rpm+pkg -i rpms -t file -o append"},
		"sync":                {old: synced, args: "-d lists -f rpm+db --db db/sqlite-wal -t file --sync"},
		"sync add":            {old: synced, args: "-d lists -f rpm+db --db db/sqlite-wal -t file --sync=add " + signer},
		"sync prune":          {old: synced, args: "-d lists -f rpm+db --db db/sqlite-wal -t file --sync=prune --json"},
		"sign":                {old: fewer, args: "-d lists -o sign -t file -k keys/rsa2048.pem"},
		"sign apart":          {old: fewer, args: "-d lists -o sign -t file -k keys/rsa2048.pem --detached"},
		"signed, appended":    {old: fewer, args: "-d lists -f compact -i mine -t file -o add -p 1 --appended " + signer},
		"parser and its link": {old: fewer, args: "-d lists -f compact -i tree/two -t parser -m immutable -o append"},
		"remove":              {old: fewer, args: "-d lists -t file -o remove -p 1"},
		"remove all":          {old: fewer, args: "-d lists -t file -o remove -p -1", again: 3},
		"certificate":         {old: some, args: "-d lists -f copy -i keys/x509_golden.der -t key -o append"},
		"attributes":          {old: some, args: "-d lists -f compact -t file -A tree -i tree -i x: -o add", eachFile: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faulttest.Scenario{
				Env: []string{"TMPDIR=tmp"}, Hidden: sqlite, Old: s.old, Command: append([]string{"gen_digest_lists"}, strings.Fields(s.args)...), Again: s.again, EachFile: s.eachFile,
			}.Test(t, faulttest.Faults...)
		})
	}
}
