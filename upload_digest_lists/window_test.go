package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A call is a system call as strace prints it.
type call struct {
	thread, name, args, result string
	overlaps                   bool // with a call of another thread
}

var (
	wholeCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (.*)$`)
	startedCall = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	endedCall   = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$`)
)

// traced runs the tool with a stand-in for the kernel's log, since this machine's is
// no business of tests.
const traced = `
set -eu
mount --make-rprivate /
: >"$0"
mount --bind "$0" /dev/kmsg
exec strace -f -e signal=none -e trace=open,openat,openat2,creat,close,write,pwrite64,writev,execve,execveat "$@"
`

// trace runs the tool under strace and returns the calls that open, close, write or
// start something.
func trace(t *testing.T, bin string, args ...string) []call {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "trace")
	command := append([]string{"-m", "sh", "-c", traced, filepath.Join(dir, "kmsg"), "-o", log, bin}, args...)
	if out, err := exec.Command("unshare", command...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var calls []call
	started := make(map[string]string)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := wholeCall.FindStringSubmatch(lines.Text()); m != nil {
			calls = append(calls, call{m[1], m[2], m[3], m[4], false})
		} else if m := startedCall.FindStringSubmatch(lines.Text()); m != nil {
			started[m[1]] = m[3]
		} else if m := endedCall.FindStringSubmatch(lines.Text()); m != nil {
			calls = append(calls, call{m[1], m[2], started[m[1]] + m[3], m[4], true})
		}
	}
	return calls
}

// standIn makes a folder with the files that a kernel with digest lists has, and a
// copy of the lists.
func standIn(t *testing.T) (securityfs, lists string) {
	t.Helper()
	dir := t.TempDir()
	securityfs, lists = filepath.Join(dir, "security"), filepath.Join(dir, "lists")
	if err := os.MkdirAll(filepath.Join(securityfs, "ima"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(securityfs, "ima/digest_list_data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ima/digests_count": "100\n",
		"ima/policy":        "measure func=DIGEST_LIST_CHECK\n",
		"proc/cmdline":      "ima_policy=exec_tcb ima_digest_list_pcr=11\n",
	} {
		path := filepath.Join(securityfs, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(lists, os.DirFS("../test/inputs/mix")); err != nil {
		t.Fatal(err)
	}
	// The machine that runs the tests may have a keyring for IMA: leave it alone.
	if err := os.Remove(filepath.Join(lists, "0-key_list-x509")); err != nil {
		t.Fatal(err)
	}
	return securityfs, lists
}

// sign signs all lists of the folder and returns the certificate.
func sign(t *testing.T, lists string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(lists, "*_list-*"))
	if err != nil {
		t.Fatal(err)
	}
	const keys = "../test/inputs/keys/"
	args := []string{"ima_sign", "--hashalgo", "sha256", "--key", keys + "rsa2048.pem", "--keyid-from-cert", keys + "x509_golden.der"}
	for _, file := range files {
		if out, err := exec.Command("evmctl", append(args, file)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return keys + "x509_golden.der"
}

// addPlugin adds a list that only a plug-in can read, and returns its folder.
func addPlugin(t *testing.T, lists string) string {
	t.Helper()
	dir := t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "parser-mine"), []byte("#!/bin/sh\nexec cat\n"), 0o755),
		os.Chmod(filepath.Join(dir, "parser-mine"), 0o755),
		exec.Command("cp", "../test/inputs/bad/compact-ok", filepath.Join(lists, "20-file_list-mine-list")).Run())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The kernel turns digest lists off if a parser opens a file that was not measured,
// and refuses writes of another thread than the one that opened the data file.
func testWindow(t *testing.T, bin string) {
	securityfs, lists := standIn(t)
	plugins := addPlugin(t, lists)
	cert := sign(t, lists)
	calls := trace(t, bin, "--kmsg", "--cert", cert, "--plugin-dir", plugins, "--securityfs", securityfs,
		"--proc", filepath.Join(securityfs, "proc"), "add", lists)
	// The list of the parser has a window of its own, since the kernel looks at who
	// uploads when a window is opened.
	first, between := window(t, calls, 0)
	if opened, writes := inWindow(t, calls[first:between]); len(opened) > 0 || writes != 1 {
		t.Errorf("first window: %d writes, opened %s; want the path of the parser list and nothing else", writes, opened)
	}
	start, end := window(t, calls, between+1)
	opened, writes := inWindow(t, calls[start:end])
	// A compact list by path, three others as data and one of a plug-in; the three
	// are opened.
	if writes != 5 {
		t.Errorf("%d writes, want one for each of 5 lists", writes)
	}
	want := "[0-file_list-rpm-g256-1.2-3-x86_64 2-file_list-ima+ima_ng-20200101_000000 10-file_list-rpm-gsha512-0.1-1-x86_64]"
	if got := fmt.Sprint(opened); got != want {
		t.Errorf("opened %s, want %s", got, want)
	}
	if !slices.ContainsFunc(calls[between:start], func(c call) bool { return strings.Contains(c.args, `/parser-mine"`) }) {
		t.Error("the plug-in was not started between the windows")
	}
	for _, file := range []string{"/dev/kmsg", cert, "/digests_count", "/proc/cmdline", "/ima/policy"} {
		if !slices.ContainsFunc(calls[:first], func(c call) bool { return strings.Contains(c.args, file+`"`) }) {
			t.Errorf("%s was not opened or started before the first window", file)
		}
	}
}

// inWindow returns what is opened, and how often is written, in the window that the
// first call opens.
func inWindow(t *testing.T, calls []call) (opened []string, writes int) {
	t.Helper()
	parser, fd := calls[0].thread, calls[0].result
	for _, c := range calls[1:] {
		if c.thread != parser || c.overlaps {
			t.Errorf("thread %s calls %s(%s) in the window of %s", c.thread, c.name, c.args, parser)
		}
		switch c.name {
		case "openat":
			opened = append(opened, listArgument(t, c))
		case "write":
			writes++
			if !strings.HasPrefix(c.args, fd+",") {
				t.Errorf("write elsewhere: %s", c.args)
			}
		case "close":
		default:
			t.Errorf("%s(%s) in the window", c.name, c.args)
		}
	}
	return opened, writes
}

// window returns the indices of the open and close of the data file, the first that
// are not before from.
func window(t *testing.T, calls []call, from int) (start, end int) {
	t.Helper()
	start = -1
	for i := from; i < len(calls); i++ {
		c := calls[i]
		switch {
		case start < 0 && c.name == "openat" && strings.Contains(c.args, "/digest_list_data"):
			start = i
		case start >= 0 && c.name == "close" && c.args == calls[start].result:
			return start, i
		}
	}
	t.Fatal("the data file was not opened and closed")
	return 0, 0
}

var relativeOpen = regexp.MustCompile(`^\d+, "([^"/]+)"`)

// listArgument returns the name of a file that is opened relative to the list
// directory.
func listArgument(t *testing.T, c call) string {
	t.Helper()
	m := relativeOpen.FindStringSubmatch(c.args)
	if m == nil {
		t.Errorf("opened in the window: %s", c.args)
		return ""
	}
	return m[1]
}
