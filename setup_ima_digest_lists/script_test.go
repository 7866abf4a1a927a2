package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"digestlists/internal/scripttest"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"setup_ima_digest_lists": adviser, demoName: adviser})
}

// adviser is main, for the scripts: whatever they make fail has to say what to do about it.
func adviser() {
	app := newApp()
	if filepath.Base(os.Args[0]) == demoName {
		app = newDemoApp()
	}
	var said bytes.Buffer
	code := app.Run(os.Args, os.Stdout, io.MultiWriter(os.Stderr, &said))
	if code != 0 && bytes.Contains(said.Bytes(), []byte(": error: ")) && !bytes.Contains(said.Bytes(), []byte(": hint: ")) {
		fmt.Fprintln(os.Stderr, "an error without a hint")
		code = 99
	}
	os.Exit(code)
}

func TestScripts(t *testing.T) {
	buildTools(t)
	scripttest.Run(t, "testdata/script", "../test/inputs")
}

// buildTools puts the other tools, and a program that looks files up in lists, into
// PATH.
func buildTools(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/",
		"../gen_digest_lists", "../upload_digest_lists", "../verify_digest_lists", "../manage_digest_lists", "../examples/known")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}
