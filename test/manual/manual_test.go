package manual

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const repository = "../.."

// pages are all documents with examples.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"README.md", "docs/*.md", "man/*.md"} {
		found, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(found), err)
		}
		all = append(all, found...)
	}
	return all
}

// TestExamples runs the examples of each page on a machine of their own.
func TestExamples(t *testing.T) {
	base := makeMachine(t)
	for _, page := range pages(t) {
		name := filepath.Base(page)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			steps, _, err := readSteps(text)
			if err != nil {
				t.Fatalf("%s: %v", page, err)
			}
			if len(steps) > 0 {
				runPage(t, base, strings.TrimPrefix(page, repository+"/"), steps)
			}
		})
	}
}

// emptied are the host's folders of which a machine has none of the content. Overlayfs hides
// it: to remove it takes long, and fails where another process writes.
var emptied = []string{"etc/ima", "etc/keys", "opt", "root", "srv", "usr/local/bin", "var/lib/rpm"}

// makeMachine returns what makes the host's root the machine that all pages begin with.
func makeMachine(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	for _, dir := range emptied {
		dir = filepath.Join(base, dir)
		if err := errors.Join(os.MkdirAll(dir, 0o755), unix.Setxattr(dir, "trusted.overlay.opaque", []byte("y"), 0)); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", base+"/usr/bin/", "./gen_digest_lists", "./upload_digest_lists", "./verify_digest_lists",
		"./manage_digest_lists", "./setup_ima_digest_lists", "./examples/known")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run(base, base, "", "sh", "-ec", `. "$SOURCE/test/manual/testdata/prepare"`); err != nil {
		t.Fatalf("prepare: %v\n%s", err, out)
	}
	return base
}

// run runs a program on a machine: the host's root, as a layer changes it. What the program
// changes is kept in a folder, or nowhere for "". The program is told the folder of the
// sources, and the page that it is for.
func run(layer, keep, page string, words ...string) (string, error) {
	source, err := filepath.Abs(repository)
	if err != nil {
		return "", err
	}
	args := append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "testdata/machine", layer, keep}, words...)
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), "SOURCE="+source, "PAGE="+filepath.Join(source, page))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func runPage(t *testing.T, base, page string, steps []step) {
	t.Helper()
	before, err := os.ReadFile("testdata/before/" + filepath.Base(page) + ".sh")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	out, err := run(base, "", page, "sh", "-ec", string(before)+"\n"+script(steps))
	byLine, last := outputs(out)
	if err != nil && last == "" {
		t.Fatalf("%s: before its examples: %v\n%s", page, err, out)
	}
	for _, s := range steps {
		got, ran := byLine[strconv.Itoa(s.line)]
		switch {
		case err != nil && strconv.Itoa(s.line) == last:
			t.Fatalf("%s:%d: %v: the page goes on only after success:\n%s\nprinted\n%s", page, s.line, err, s.text, got)
		case !ran:
			t.Errorf("%s:%d: has not run", page, s.line)
		case s.console && !matches(s.want, got):
			t.Errorf("%s:%d: %s\nprinted\n%s\nwant\n%s", page, s.line, s.text, got, strings.Join(s.want, "\n"))
		}
	}
}

// What is done before a page is done for a page that is there.
func TestPreparationsHavePages(t *testing.T) {
	scripts, err := filepath.Glob("testdata/before/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	var names []string
	for _, page := range pages(t) {
		names = append(names, filepath.Base(page))
	}
	for _, script := range scripts {
		if page := strings.TrimSuffix(filepath.Base(script), ".sh"); !slices.Contains(names, page) {
			t.Errorf("%s: no page %s", script, page)
		}
	}
}

// Blocks that are not run are the exception.
func TestFewExamplesAreNotRun(t *testing.T) {
	ran, left := 0, 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		steps, skipped, err := readSteps(text)
		if err != nil {
			t.Fatalf("%s: %v", page, err)
		}
		ran, left = ran+len(steps), left+skipped
	}
	if left*3 > ran {
		t.Errorf("%d steps of examples run, %d blocks do not", ran, left)
	}
}
