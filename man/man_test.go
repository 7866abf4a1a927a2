// Package man tests that the manual says what the tools do.
package man

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/helptext"
)

var (
	option  = regexp.MustCompile(`(?m)^ +(--[a-z-]+).*?(?:, (-[a-zA-Z])\b)?`)
	heading = regexp.MustCompile(`(?m)^#+ `)
	entry   = regexp.MustCompile(`(?m)^\*\*.*\*\*(--[a-z-]+)\*\*`)
)

// bin is where TestMain has built the tools.
var bin string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "man-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	args := []string{"build", "-o", bin + "/"}
	pages, err := filepath.Glob("*.8.md")
	for _, page := range pages {
		args = append(args, "../"+strings.TrimSuffix(page, ".8.md"))
	}
	if out, failed := exec.Command("go", args...).CombinedOutput(); err != nil || failed != nil {
		fmt.Fprintln(os.Stderr, err, failed, string(out))
		return 1
	}
	return m.Run()
}

// readHelp returns the help of a tool and of all its commands.
func readHelp(t *testing.T, tool string) []*helptext.Command {
	t.Helper()
	help, err := helptext.Read(filepath.Join(bin, tool), tool)
	if err != nil {
		t.Fatal(err)
	}
	return help.All()
}

// section returns what a page says about a command, and all of it for the tool.
func section(t *testing.T, page string, text []byte, words []string) []byte {
	t.Helper()
	if len(words) == 0 {
		return text
	}
	title := regexp.MustCompile(`(?m)^#+ ` + strings.Join(words, " ") + `\n`).FindIndex(text)
	if title == nil {
		t.Errorf("%s: no section %q", page, strings.Join(words, " "))
		return nil
	}
	rest := text[title[1]:]
	if end := heading.FindIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	return rest
}

// Every option that --help prints has an entry in the tool's page, in the section of its
// command if it is one of a command.
func TestEveryOptionIsDocumented(t *testing.T) {
	forEachPage(t, func(page string, text []byte, all []*helptext.Command) {
		count := 0
		for _, h := range all {
			part := section(t, page, text, h.Words)
			for _, m := range option.FindAllStringSubmatch(h.Text, -1) {
				count++
				if m[1] == "--help" && len(h.Words) > 0 {
					continue
				}
				if !regexp.MustCompile(`(?m)^(\*\*.*)?\*\*` + m[1] + `\*\*`).Match(part) {
					t.Errorf("%s: no entry for %s %s", page, strings.Join(h.Words, " "), m[1])
				}
			}
		}
		if count < 4 {
			t.Errorf("%s: --help lists %d options", page, count)
		}
	})
}

// What the pages document, the tools take.
func TestEveryDocumentedOptionExists(t *testing.T) {
	forEachPage(t, func(page string, text []byte, all []*helptext.Command) {
		rest := bytes.Clone(text)
		for _, h := range slices.Backward(all) { // the sections of commands, then what is left
			part := section(t, page, rest, h.Words)
			for _, m := range entry.FindAllSubmatch(part, -1) {
				if !regexp.MustCompile(`(?m)^ +.*` + string(m[1]) + `\b`).MatchString(h.Text) {
					t.Errorf("%s: %s is no option of %q", page, m[1], strings.Join(h.Words, " "))
				}
			}
			if len(h.Words) > 0 {
				rest = bytes.Replace(rest, part, nil, 1)
			}
		}
	})
}

func forEachPage(t *testing.T, check func(page string, text []byte, all []*helptext.Command)) {
	t.Helper()
	pages, err := filepath.Glob("*.8.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		check(page, text, readHelp(t, strings.TrimSuffix(page, ".8.md")))
	}
}
