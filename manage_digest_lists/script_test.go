package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"digestlists/internal/scripttest"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"manage_digest_lists": main})
}

// The scripts make lists with the tool that does, and check with another.
func TestScripts(t *testing.T) {
	buildTools(t)
	scripttest.Run(t, "testdata/script", "../test/inputs", "gen_digest_lists", "verify_digest_lists")
}

// buildTools puts the tools that make and check lists into PATH.
func buildTools(t *testing.T) {
	t.Helper()
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin+"/", "../gen_digest_lists", "../verify_digest_lists").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
}
