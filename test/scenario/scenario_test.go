// Package scenario tests the tools together, as their users run them.
package scenario

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"digestlists/internal/scripttest"
)

// TestScripts builds every tool and runs the scripts with them.
func TestScripts(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin+"/",
		"../../gen_digest_lists", "../../upload_digest_lists", "../../verify_digest_lists", "../../examples/known")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	scripttest.Run(t, "testdata/script", "../inputs",
		"gen_digest_lists", "upload_digest_lists", "verify_digest_lists", "known")
}
