package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/helptext"

	"github.com/google/go-cmp/cmp"
)

// Where the tools and their completions are; see TestMain.
var bin, out string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "completions")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(folder)
		bin, out = filepath.Join(folder, "bin"), filepath.Join(folder, "out")
		build := exec.Command("go", "build", "-o", bin+"/", "../../gen_digest_lists", "../../manage_digest_lists",
			"../../setup_ima_digest_lists", "../../upload_digest_lists", "../../verify_digest_lists")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		if err := write(bin, out); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// offered returns what a shell offers at the end of each line.
func offered(t *testing.T, shell string, lines []string) [][]string {
	t.Helper()
	script, err := filepath.Abs("testdata/complete." + shell)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(shell, script, out)
	cmd.Dir = folder(t)
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	cmd.Stderr = os.Stderr
	printed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(printed), "--- end\n")
	if len(parts) != len(lines)+1 {
		t.Fatalf("%d answers to %d lines", len(parts)-1, len(lines))
	}
	all := make([][]string, len(lines))
	for i := range lines {
		words := slices.DeleteFunc(strings.Split(parts[i], "\n"), func(word string) bool { return word == "" })
		slices.Sort(words)
		all[i] = words
	}
	return all
}

// folder has a file and a folder, for lines that want one.
func folder(t *testing.T) string {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "some folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "some.file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func forEachShell(t *testing.T, test func(t *testing.T, shell string)) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) { test(t, shell) })
	}
}

var optionLine = regexp.MustCompile(`(?m)^   (--[a-z-]+)(?: [^ ,]+)?(?:, (-[a-zA-Z])\b)?`)

// Each shell offers exactly the options that --help prints, of the tools and of each of
// their commands.
func TestEveryOptionIsOffered(t *testing.T) {
	var lines []string
	var want [][]string
	for _, tool := range []string{
		"gen_digest_lists", "manage_digest_lists", "setup_ima_digest_lists",
		"setup_ima_digest_lists_demo", "upload_digest_lists", "verify_digest_lists",
	} {
		help, err := helptext.Read(filepath.Join(bin, strings.TrimSuffix(tool, "_demo")), tool)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range help.All() {
			var options []string
			for _, m := range optionLine.FindAllStringSubmatch(command.Text, -1) {
				options = append(options, slices.DeleteFunc(m[1:], func(form string) bool { return form == "" })...)
			}
			slices.Sort(options)
			lines = append(lines, strings.Join(append([]string{tool}, command.Words...), " ")+" -")
			want = append(want, options)
		}
	}
	forEachShell(t, func(t *testing.T, shell string) {
		for i, got := range offered(t, shell, lines) {
			got = slices.DeleteFunc(got, func(word string) bool {
				return !strings.HasPrefix(word, "-") || strings.Contains(word, "=")
			})
			if diff := cmp.Diff(want[i], got); diff != "" {
				t.Errorf("%s: %s", lines[i], diff)
			}
		}
	})
}

// What else is offered: commands, operations, formats, types, files and folders.
func TestWordsAreOffered(t *testing.T) {
	tests := []struct{ line, want string }{
		{"gen_digest_lists some", ""},
		{"gen_digest_lists -f ", "ascii audit compact copy ima+ima_ng keylime rpm+db rpm+pkg unknown"},
		{"gen_digest_lists --format=rpm", "rpm+db rpm+pkg"},
		{"gen_digest_lists -t file -o ", "add append remove sign"},
		{"gen_digest_lists -o add -t ", "file key metadata parser"},
		{"gen_digest_lists --sync=", "add prune"},
		{"gen_digest_lists -p ", ""},
		{"gen_digest_lists -d ", "some folder"},
		{"gen_digest_lists --dir=so", "some folder"},
		{"gen_digest_lists -i ", "some folder|some.file"},
		{"gen_digest_lists -i I:", "some folder|some.file"},
		{"manage_digest_lists -p check", "check-meta check-signatures"},
		{"manage_digest_lists -p di", "diff"},
		{"manage_digest_lists -p diff some", "some folder|some.file"},
		{"upload_digest_lists a", "add"},
		{"upload_digest_lists add some.", "some.file"},
		{"upload_digest_lists add del", ""},
		{"verify_digest_lists --quote ", "some folder|some.file"},
		{"setup_ima_digest_lists p", "parser policy preflight"},
		{"setup_ima_digest_lists bootloader ", "add remove show"},
		{"setup_ima_digest_lists bootloader add ", "enforce log measure"},
		{"setup_ima_digest_lists keys make --type ", "p-256 p-384 rsa-2048 rsa-3072 rsa-4096"},
		{"setup_ima_digest_lists keys evm --master ", "trusted user"},
		{"setup_ima_digest_lists policy show tcb", "tcb tcb-lists"},
		{"setup_ima_digest_lists_demo m", "mutable-generate mutable-sign"},
		{"setup_ima_digest_lists_demo distro some.", "some.file"},
	}
	lines := make([]string, len(tests))
	for i, test := range tests {
		lines[i] = test.line
	}
	forEachShell(t, func(t *testing.T, shell string) {
		for i, got := range offered(t, shell, lines) {
			want := strings.FieldsFunc(tests[i].want, func(r rune) bool { return r == ' ' || r == '|' })
			if strings.Contains(tests[i].want, "some ") {
				want = strings.Split(tests[i].want, "|")
			}
			if diff := cmp.Diff(want, plain(shell, tests[i].line, got)); diff != "" {
				t.Errorf("%q: %s", tests[i].line, diff)
			}
		}
	})
}

// plain takes away what only some shells add to words: fish the part of the word that is
// there already, and a slash after folders; zsh escapes.
func plain(shell, line string, words []string) []string {
	plain := make([]string, len(words))
	attached := ""
	if shell == "fish" {
		attached = regexp.MustCompile(`\S*[=:]|`).FindString(line[strings.LastIndex(line, " ")+1:])
	}
	for i, word := range words {
		plain[i] = strings.TrimSuffix(strings.ReplaceAll(strings.TrimPrefix(word, attached), `\`, ""), "/")
	}
	slices.Sort(plain)
	return plain
}

// The scripts that are sourced have no fault that shellcheck knows.
func TestShellcheck(t *testing.T) {
	scripts, err := filepath.Glob(out + "/bash/*")
	if err != nil || len(scripts) != 6 {
		t.Fatalf("%q, %v", scripts, err)
	}
	if found, err := exec.Command("shellcheck", append([]string{"-s", "bash"}, scripts...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, found)
	}
}
