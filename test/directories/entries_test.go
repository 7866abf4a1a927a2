package directories

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
)

// A guest is what somebody has put into a list directory beside a good list.
type guest struct {
	script string // puts it there
	kind   kind
}

// A kind says what the tools do.
type kind int

const (
	noList    kind = iota // nothing: its name is not that of a list
	badList               // who reads lists fails; it is a file, which can be signed
	noFile                // nobody takes it for a list
	signature             // of the good list, which has another one
)

var guests = map[string]guest{
	"link to a list outside":    {`ln -s ../mine lists/1-file_list-compact-x`, noFile},
	"link to a list inside":     {`ln -s 0-file_list-compact-mine lists/1-file_list-compact-x`, noFile},
	"link to itself":            {`ln -s 1-file_list-compact-x lists/1-file_list-compact-x`, noFile},
	"dangling link":             {`ln -s nothing lists/1-file_list-compact-x`, noFile},
	"link to a device":          {`ln -s /dev/zero lists/1-file_list-compact-x`, noFile},
	"fifo":                      {`mkfifo lists/1-file_list-compact-x`, noFile},
	"socket":                    {`python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("lists/1-file_list-compact-x")'`, noFile},
	"endless device":            {`mknod lists/1-file_list-compact-x c 1 5`, noFile},
	"terminal":                  {`mknod lists/1-file_list-compact-x c 5 0`, noFile},
	"folder":                    {`mkdir lists/1-file_list-compact-x`, noFile},
	"larger than a list may be": {`truncate -s 8T lists/1-file_list-compact-x`, noFile},
	"a hole of 64 MiB":          {`truncate -s 64M lists/1-file_list-compact-x`, badList},
	"empty":                     {`: >lists/1-file_list-compact-x`, badList},
	"newline in the name":       {`echo x >lists/$'1-file_list-compact-x\ny'`, badList},
	"control characters":        {`echo x >lists/$'1-file_list-compact-\e[2Jx\ty'`, badList},
	"no UTF-8":                  {`echo x >lists/$'1-file_list-compact-\xff\xfe'`, badList},
	"255 bytes":                 {`echo x >lists/1-file_list-compact-$(printf %0235d 0)`, badList},
	"position too high":         {`echo x >lists/99999999999999999999-file_list-compact-x`, noList},
	"dashes":                    {`echo x >lists/-rf; echo x >lists/--help; echo x >lists/-`, noList},
	"newline alone":             {`echo x >lists/$'\n'`, noList},
	"dots":                      {`echo x >lists/...; echo x >lists/.hidden`, noList},
	"deep folders":              {`python3 -c 'import os; os.chdir("lists"); [(os.mkdir("d"), os.chdir("d")) for _ in range(3000)]'`, noList},
	"other fifo":                {`mkfifo lists/fifo`, noList},
	"parser link to itself":     {`ln -s compact-upload_digest_lists lists/compact-upload_digest_lists`, noList},
	"fifo beside, as signature": {`mkfifo lists/0-file_list-compact-mine.sig`, signature},
	"link as signature":         {`ln -s /dev/zero lists/0-file_list-compact-mine.sig`, signature},
}

const prepared = `
	cp -r "$DATA"/keys .; echo mine >file; mkdir -p sec/ima root/etc/keys; touch sec/ima/digest_list_data sec/ima/digest_list_data_del
	gen_digest_lists -d lists -f compact -i file -t file -o add -p 0 -s -k keys/rsa2048.pem
	mv lists/* mine; mkdir -p lists; cp -a mine lists/0-file_list-compact-mine; cp keys/x509_golden.der root/etc/keys/
`

// reading are commands that read all lists, and that signs them; adding is one that leaves all that is there alone.
var (
	reading = []string{
		"upload_digest_lists -d lists -o out",
		"upload_digest_lists --emulate table add lists",
		"upload_digest_lists --securityfs sec add lists",
		"verify_digest_lists -d lists --key keys/x509_golden.der",
		"manage_digest_lists -d lists -p dump",
		"manage_digest_lists -d lists -p stats",
		"manage_digest_lists -d lists -p add-digest -o digests",
	}
	signing = "gen_digest_lists -d lists -o sign -t file -k keys/rsa2048.pem"
	adding  = "gen_digest_lists -d lists -f compact -i file -t file -o append"
)

// Whatever is in a list directory, no tool hangs, follows it elsewhere, or passes over a list that it cannot read; and
// each says in a line of its own what is wrong.
func TestGuests(t *testing.T) {
	for name, g := range guests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := hosttest.MemoryFolder(t)
			shell(t, dir, prepared+g.script)
			bad := g.kind == badList || g.kind == noFile
			for _, words := range reading {
				switch r := run(t, dir, words); {
				case bad && r.code != 1, g.kind == noList && r.code != 0:
					t.Errorf("%s: exit %d\n%s", words, r.code, r.stderr)
				case bad && !strings.Contains(r.stderr+r.stdout, "1-file_list-compact-"):
					t.Errorf("%s: it does not say which\n%s", words, r.stderr)
				}
			}
			if r := run(t, dir, signing); g.kind == noFile && r.code != 3 || g.kind != noFile && r.code != 0 {
				t.Errorf("%s: exit %d\n%s", signing, r.code, r.stderr)
			}
			before := names(t, dir)
			if r := run(t, dir, adding); r.code != 0 {
				t.Errorf("%s: exit %d\n%s", adding, r.code, r.stderr)
			}
			after := names(t, dir)
			if len(after) != len(before)+1 || slices.ContainsFunc(before, func(n string) bool { return !slices.Contains(after, n) }) {
				t.Errorf("before %q, after %q", before, after)
			}
			if r := run(t, dir, "setup_ima_digest_lists status --root ."); r.code != 4 {
				t.Errorf("status: exit %d\n%s", r.code, r.stderr)
			}
		})
	}
}

// names are those in the list directory, with what they are.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "lists"))
	check(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Type().String()+" "+e.Name())
	}
	return all
}

// What is in place of the directory is said, and nothing is made there.
func TestPlaces(t *testing.T) {
	for name, script := range map[string]string{
		"a link":             `mv lists real; ln -s real lists`,
		"a link to itself":   `rm -r lists; ln -s lists lists`,
		"a dangling link":    `rm -r lists; ln -s nothing lists`,
		"a fifo":             `rm -r lists; mkfifo lists`,
		"a socket":           `rm -r lists; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("lists")'`,
		"a device":           `rm -r lists; mknod lists c 1 5`,
		"a file":             `rm -r lists; echo x >lists`,
		"writable by others": `chmod o+w lists`,
		"of somebody else":   `chown 65533 lists`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := hosttest.MemoryFolder(t)
			shell(t, dir, prepared+script)
			for _, words := range append([]string{signing, adding}, reading...) {
				// What is no folder could be a list, to upload_digest_lists, but for its name.
				if r := run(t, dir, words); r.code != 3 && !strings.Contains(r.stderr, "not the name of a list") || !strings.Contains(r.stderr, "lists") {
					t.Errorf("%s: exit %d\n%s", words, r.code, r.stderr)
				}
			}
			entries, err := os.ReadDir(dir)
			check(t, err)
			for _, e := range entries {
				if n := e.Name(); n == "out" || n == "table" || n == "digests" || n == "lists.sig" || strings.HasPrefix(n, ".") {
					t.Errorf("left: %s", n)
				}
			}
		})
	}
}

// Who may not read a directory or a list is told so.
func TestUnreadable(t *testing.T) {
	const nobody = 65534
	for name, script := range map[string]string{"directory": `chmod 700 lists`, "list": `chmod 600 lists/*`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := hosttest.MemoryFolder(t)
			shell(t, dir, prepared+script+"; chmod 777 .")
			for _, words := range reading {
				r := run(t, dir, words, nobody)
				if r.code != 3 && (r.code != 1 || name == "directory") || !strings.Contains(r.stderr+r.stdout, "permission denied") {
					t.Errorf("%s: exit %d\n%s%s", words, r.code, r.stderr, r.stdout)
				}
			}
		})
	}
}
