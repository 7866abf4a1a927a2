package manual

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// joined is where Go source breaks a string.
var joined = regexp.MustCompile(`" \+\s*"`)

// sources returns the text of all that prints messages.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		if err != nil || entry.IsDir() {
			if name == "testdata" || name == "test" || name == "build" || name == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
		if !isGo && !strings.HasSuffix(name, ".sh") && name != "digestlist-update" {
			return nil
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return joined.ReplaceAllString(all.String(), "")
}

var quoted = regexp.MustCompile("`([^`]+)`")

// TestMessages looks for the messages that the guide to troubles tells of: what is quoted
// in the first column of tables whose head begins with "message", up to each "…".
func TestMessages(t *testing.T) {
	page, err := os.ReadFile(repository + "/docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	text := sources(t)
	inTable, checked := false, 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		first, _, _ := strings.Cut(line[1:], "|")
		inTable = inTable || strings.HasPrefix(strings.TrimSpace(first), "message")
		if !inTable {
			continue
		}
		for _, quote := range quoted.FindAllStringSubmatch(first, -1) {
			for part := range strings.SplitSeq(quote[1], "…") {
				part = strings.Trim(part, " ,")
				checked++
				if !strings.Contains(text, part) {
					t.Errorf("%q: nothing prints %q", quote[1], part)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d messages found", checked)
	}
}
