package directories

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// many is how many files a directory may have for the tools to take time and memory in proportion. A million takes ten
// times as long as these.
const many = 100_000

// A directory with that many lists, all of them links to one, and one with as many files that are none.
func TestManyFiles(t *testing.T) {
	for name, pattern := range map[string]string{"lists": "%d-file_list-compact-x", "other files": "other-%d"} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			shell(t, dir, prepared)
			for i := range many {
				check(t, os.Link(filepath.Join(dir, "mine"), filepath.Join(dir, "lists", fmt.Sprintf(pattern, i+1))))
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
