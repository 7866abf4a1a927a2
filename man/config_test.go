package man

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/setup"
)

// The keys of digest_lists.conf are those that digestlist-update reads, in the page
// and in the file that is installed.
func TestEveryKeyOfUpdatesIsDocumented(t *testing.T) {
	script := read(t, "../libexec/digestlist-update")
	_, script, _ = strings.Cut(script, "\nset_value() {\n")
	script, _, _ = strings.Cut(script, "\n}\n")
	want := find(script, `(?m)^\t([a-z_]+)\) .*=\$`)
	if len(want) < 10 {
		t.Fatalf("keys of the script: %q", want)
	}
	for file, entry := range map[string]string{
		"digest_lists.conf.5.md":         `(?m)^\*\*([a-z_]+)\*\* = `,
		"../packaging/digest_lists.conf": `(?m)^#([a-z_]+) =`,
	} {
		if got := find(read(t, file), entry); !slices.Equal(got, want) {
			t.Errorf("%s has the keys\n%q, want\n%q", file, got, want)
		}
	}
}

// So are those of the file for setup_ima_digest_lists --config.
func TestEveryKeyOfSetupIsDocumented(t *testing.T) {
	_, page, _ := strings.Cut(read(t, "setup_ima_digest_lists.8.md"), "\n# CONFIGURATION\n")
	page, _, _ = strings.Cut(page, "\n# ")
	got := find(page, `(?m)^\*\*([a-z_]+)\*\* = `)
	if fields := reflect.TypeFor[setup.Config]().NumField(); len(got) != fields {
		t.Errorf("%d keys of %d: %q", len(got), fields, got)
	}
	for _, key := range got {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(key+" =\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := setup.ReadConfig(file, ""); err != nil && strings.Contains(err.Error(), "unknown key") {
			t.Error(err)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// find returns what the group of a pattern has found, sorted.
func find(text, pattern string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return found
}
