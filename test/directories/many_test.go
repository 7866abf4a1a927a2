package directories

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/hosttest"
)

// A directory with many lists, all of them links to one, and one with a million files that are none: the tools take time
// and memory in proportion. That many lists take them a fiftieth of what a million does.
func TestManyFiles(t *testing.T) {
	for name, c := range map[string]struct {
		pattern string
		many    int
	}{"lists": {"%d-file_list-compact-x", 20_000}, "other files": {"other-%d", 1_000_000}} {
		t.Run(name, func(t *testing.T) {
			dir := hosttest.MemoryFolder(t)
			shell(t, dir, prepared)
			for i := range c.many {
				check(t, os.Link(filepath.Join(dir, "mine"), filepath.Join(dir, "lists", fmt.Sprintf(c.pattern, i+1))))
			}
			for _, words := range []string{
				"upload_digest_lists -d lists -o out",
				"upload_digest_lists --emulate table add lists",
				"verify_digest_lists -d lists --key keys/x509_golden.der",
				"manage_digest_lists -d lists -p stats",
				adding,
				"gen_digest_lists -d lists -o remove -t file -p 0",
			} {
				if r := run(t, dir, words); r.code != 0 {
					t.Errorf("%s: exit %d\n%.300s", words, r.code, r.stderr)
				}
			}
		})
	}
}
