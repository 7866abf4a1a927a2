package man

import (
	"bytes"
	"os/exec"
	"regexp"
	"testing"
)

// leftover is Markdown that was not understood as such.
var leftover = regexp.MustCompile(`\*[a-zA-Z]|[a-zA-Z]\*|\*\*--`)

// A page prints as plain text of 80 columns without a warning, and without marks of its
// source.
func TestPagesPrint(t *testing.T) {
	for _, page := range markdown(t) {
		roff, err := exec.Command("go", "tool", "go-md2man", "-in", page).Output()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("groff", "-K", "utf8", "-t", "-man", "-T", "utf8", "-w", "w", "-r", "LL=80n", "-P", "-cbou")
		var warnings bytes.Buffer
		cmd.Stdin, cmd.Stderr = bytes.NewReader(roff), &warnings
		text, err := cmd.Output()
		if err != nil || warnings.Len() > 0 {
			t.Errorf("%s: %v\n%s", page, err, &warnings)
		}
		for line := range bytes.Lines(text) {
			if leftover.Match(line) {
				t.Errorf("%s prints %q", page, line)
			}
		}
	}
}
