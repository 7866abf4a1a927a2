package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/ptytest"
)

// A person at a terminal answers all questions, one of them wrongly first.
func TestWizardOnATerminal(t *testing.T) {
	buildTools(t)
	inputs, err := filepath.Abs("../test/inputs")
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root")
	if out, err := exec.Command("sh", filepath.Join(inputs, "machine/make"), root).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	person, tty := ptytest.Open(t)
	tool := filepath.Join(t.TempDir(), "setup_ima_digest_lists")
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(tool, "--root", root)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := bufio.NewReader(person)
	for _, step := range []struct{ question, answer string }{
		{"Number: [2] ", "7"},
		{"from 1 to 2.", ""}, // and again
		{"Number: [2] ", "1"},
		{"Private key: [/etc/keys/privkey_ima.pem] ", "key.pem"},
		{"Private key: [/etc/keys/privkey_ima.pem] ", ""},
		{"Its certificate (DER): [/etc/keys/x509_ima.der] ", ""},
		{"- for none: ", ""}, // package files
		{"- for none: [/usr/bin /usr/sbin /usr/lib] ", "/usr/local/bin"},
		{"- for none: ", ""}, // mutable folders
		{"without lists: [11] ", "+11"},
		{"Do this? [no] ", "yes"},
	} {
		readUntil(t, seen, step.question)
		if strings.HasSuffix(step.question, ".") {
			continue
		}
		if _, err := person.WriteString(step.answer + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	readUntil(t, seen, "Done. Choose the entry (digest lists, measure)")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "boot/loader/entries/m-6.1.0~digestlists-measure.conf"))
	if err != nil || !strings.Contains(string(text), "ima_digest_list_pcr=+11 ") {
		t.Errorf("%s, %v", text, err)
	}
}

// readUntil reads what is on the terminal up to a text.
func readUntil(t *testing.T, from *bufio.Reader, text string) {
	t.Helper()
	var seen strings.Builder
	for !strings.HasSuffix(seen.String(), text) {
		b, err := from.ReadByte()
		if err != nil {
			t.Fatalf("%v before %q, after %s", err, text, seen.String())
		}
		seen.WriteByte(b)
	}
}
