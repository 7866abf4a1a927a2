// Package man tests that the manual says what the tools do.
package man

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var option = regexp.MustCompile(`(?m)^ +(--[a-z-]+).*?(?:, (-[a-zA-Z])\b)?`)

// Every option that --help prints has an entry in the tool's page, and every page
// is a manual page once it is converted.
func TestEveryOptionIsDocumented(t *testing.T) {
	pages, err := filepath.Glob("*.8.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, page := range pages {
		tool := page[:len(page)-len(".8.md")]
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		help, err := exec.Command("go", "run", "../"+tool, "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		found := option.FindAllStringSubmatch(string(help), -1)
		if len(found) < 4 {
			t.Fatalf("%s --help lists %d options", tool, len(found))
		}
		for _, m := range found {
			if !regexp.MustCompile(`(?m)^(\*\*.*)?\*\*` + m[1] + `\*\*`).Match(text) {
				t.Errorf("%s: no entry for %s", page, m[1])
			}
		}
	}
}

// What the pages document, the tools take.
func TestEveryDocumentedOptionExists(t *testing.T) {
	pages, err := filepath.Glob("*.8.md")
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?m)^\*\*.*\*\*(--[a-z-]+)\*\*`)
	for _, page := range pages {
		tool := page[:len(page)-len(".8.md")]
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		help, err := exec.Command("go", "run", "../"+tool, "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range entry.FindAllSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^ +.*` + string(m[1]) + `\b`).Match(help) {
				t.Errorf("%s: %s is no option of %s", page, m[1], tool)
			}
		}
	}
}
