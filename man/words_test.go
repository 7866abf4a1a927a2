package man

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// words are what a tool takes as values of an option: they stand in its help, or in
// what it lists, and each has an entry in a section of its page. The tool for sequences
// shares a page with the one whose commands it runs.
var words = []struct {
	tool, section, option string
	find                  *regexp.Regexp
	least                 int
}{
	{"gen_digest_lists", "OPERATIONS", "--help", regexp.MustCompile(`(?m)\b(add|append|remove|sign)(?:,| or|$)`), 4},
	{"gen_digest_lists", "LETTERS", "--help", regexp.MustCompile(`(?m)(?:^      |   |\w )([A-Za-z]:(?:policy|evm)?)`), 18},
	{"gen_digest_lists", "FORMATS", "--list-formats", regexp.MustCompile(`(?m)^([a-z+_]+)`), 8},
	{"setup_ima_digest_lists_demo", "SEQUENCES", "--help", regexp.MustCompile(`(?m)^      ([a-z]+(?:-[a-z]+)*)  +[a-z]`), 6},
	{"manage_digest_lists", "OPERATIONS", "--help", regexp.MustCompile(`(?m)^      ([a-z]+(?:-[a-z]+)*)(?: [A-Z|]+)*  +[a-z]`), 20},
}

func TestEveryWordIsDocumented(t *testing.T) {
	for _, w := range words {
		name := strings.TrimSuffix(w.tool, "_demo")
		cmd := exec.Command(filepath.Join(bin, name))
		cmd.Args = []string{w.tool, w.option}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		page := name + ".8.md"
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		part, found := section(t, page, text, []string{w.section}), make(map[string]bool)
		for _, m := range w.find.FindAllStringSubmatch(string(out), -1) {
			found[m[1]] = true
			if !regexp.MustCompile(`(?m)^(\*\*.*)?\*\*` + regexp.QuoteMeta(m[1])).Match(part) {
				t.Errorf("%s: no entry for %s in %s", page, m[1], w.section)
			}
		}
		if len(found) < w.least {
			t.Errorf("%s %s: %d words for %s: %v", w.tool, w.option, len(found), w.section, found)
		}
	}
}
