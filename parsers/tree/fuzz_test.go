package tree

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every line of a file of paths is one of them, or the file is refused.
func FuzzPathsFile(f *testing.F) {
	f.Add([]byte("/\n/proc\n"))
	f.Add([]byte("/"))
	f.Add([]byte("/\r\n\n"))
	name := filepath.Join(f.TempDir(), "paths")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		paths, err := PathsFile(name)
		if err != nil {
			if paths != nil {
				t.Fatalf("%q, error %v", paths, err)
			}
			return
		}
		if all := strings.Join(paths, "\n"); all != strings.TrimSuffix(string(text), "\n") {
			t.Fatalf("%q becomes %q", text, all)
		}
	})
}
