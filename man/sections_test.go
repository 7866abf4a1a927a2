package man

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/helptext"
)

// sections are those that every page has, in this order; those of section 8, which are
// about programs, have all of them.
var (
	sections        = []string{"NAME", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"}
	programSections = []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"}
)

func TestPagesHaveTheSameSections(t *testing.T) {
	for _, page := range markdown(t) {
		want := sections
		if strings.HasSuffix(page, ".8.md") {
			want = programSections
		}
		var got []string
		for _, m := range regexp.MustCompile(`(?m)^# (.*)$`).FindAllStringSubmatch(read(t, page), -1) {
			if slices.Contains(want, m[1]) {
				got = append(got, m[1])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has the sections %q, want %q", page, got, want)
		}
	}
}

// Whoever reads one page finds all others.
func TestPagesNameEachOther(t *testing.T) {
	pages := markdown(t)
	for _, page := range pages {
		_, seeAlso, _ := strings.Cut(read(t, page), "\n# SEE ALSO\n")
		for _, other := range pages {
			name := regexp.MustCompile(`^(.*)\.([58])\.md$`).FindStringSubmatch(other)
			if other != page && !strings.Contains(seeAlso, "**"+name[1]+"**("+name[2]+")") {
				t.Errorf("%s: SEE ALSO does not name %s(%s)", page, name[1], name[2])
			}
		}
	}
}

// What NAME says of a tool is what its help says.
func TestNamesAreThoseOfHelp(t *testing.T) {
	forEachPage(t, func(page string, text []byte, all []*helptext.Command) {
		want := strings.TrimSuffix(page, ".8.md") + " - " + all[0].Summary
		if !strings.Contains(string(text), "\n# NAME\n\n"+want+"\n") {
			t.Errorf("%s: NAME is not that of --help, %q", page, want)
		}
	})
}

// A page that is not Markdown leads to one that is.
func TestAliasesLeadToPages(t *testing.T) {
	aliases, err := filepath.Glob("*.[58]")
	if err != nil || len(aliases) == 0 {
		t.Fatalf("no aliases: %v", err)
	}
	for _, alias := range aliases {
		target, ok := strings.CutPrefix(strings.TrimSpace(read(t, alias)), ".so man")
		section, file, _ := strings.Cut(target, "/")
		if !ok || !strings.HasSuffix(file, "."+section) || !slices.Contains(markdown(t), file+".md") {
			t.Errorf("%s leads to %q", alias, target)
		}
	}
}

// markdown returns the names of the pages.
func markdown(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("*.[58].md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	return pages
}
