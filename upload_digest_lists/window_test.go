package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A call is a system call as strace prints it.
type call struct {
	thread, name, args, result string
}

var traceLine = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (.*)$`)

// trace runs the tool under strace and returns the calls that open, close, write
// or start something.
func trace(t *testing.T, args ...string) []call {
	t.Helper()
	dir := t.TempDir()
	bin, log := filepath.Join(dir, "upload_digest_lists"), filepath.Join(dir, "trace")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := append([]string{"-f", "-e", "signal=none", "-e", "trace=open,openat,openat2,creat,close,write,pwrite64,writev,execve,execveat", "-o", log, bin}, args...)
	if out, err := exec.Command("strace", command...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var calls []call
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := traceLine.FindStringSubmatch(joinUnfinished(t, lines)); m != nil {
			calls = append(calls, call{m[1], m[2], m[3], m[4]})
		}
	}
	return calls
}

// joinUnfinished refuses calls that strace printed in two parts: two threads were
// in calls of the traced kind at once, which may not happen in the window and does
// not happen elsewhere in a run with one worker.
func joinUnfinished(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	if line := lines.Text(); strings.Contains(line, "<unfinished") {
		t.Errorf("overlapping calls: %s", line)
	}
	return lines.Text()
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
	if err := os.CopyFS(lists, os.DirFS("../test/inputs/mix")); err != nil {
		t.Fatal(err)
	}
	// The machine that runs the tests may have a keyring for IMA: leave it alone.
	if err := os.Remove(filepath.Join(lists, "0-key_list-x509")); err != nil {
		t.Fatal(err)
	}
	return securityfs, lists
}

// The kernel turns digest lists off if a parser opens a file that was not measured,
// and refuses writes of another thread than the one that opened the data file.
func TestNothingButListsIsOpenedInTheWindow(t *testing.T) {
	securityfs, lists := standIn(t)
	calls := trace(t, "--securityfs", securityfs, "add", lists)
	start, end := window(t, calls)
	parser, fd := calls[start].thread, calls[start].result

	var opened []string
	writes := 0
	for _, c := range calls[start+1 : end] {
		if c.thread != parser {
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
	// Two compact lists by path, three others as data; the others are opened.
	if writes != 5 {
		t.Errorf("%d writes, want one for each of 5 lists", writes)
	}
	want := "[0-file_list-rpm-g256-1.2-3-x86_64 2-file_list-ima+ima_ng-20200101_000000 10-file_list-rpm-gsha512-0.1-1-x86_64]"
	if got := fmt.Sprint(opened); got != want {
		t.Errorf("opened %s, want %s", got, want)
	}
}

// window returns the indices of the open and close of the data file.
func window(t *testing.T, calls []call) (start, end int) {
	t.Helper()
	start = -1
	for i, c := range calls {
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
