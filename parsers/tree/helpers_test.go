package tree

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/parsers"
)

// make1 returns the name and the entries of the only list.
func make1(t *testing.T, in parsers.Input) (string, []parsers.Entry, error) {
	t.Helper()
	in.Type = compact.TypeFile
	for list, err := range (Source{}).Lists(t.Context(), in) {
		if err != nil {
			return "", nil, err
		}
		entries, err := parsers.Collect(list.Entries)
		return list.Name, entries, err
	}
	t.Fatal("no list")
	return "", nil, nil
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// plant makes a tree with everything that a tree can hold, and returns the paths of its
// regular files in the order of a list.
func plant(t *testing.T, root string) []string {
	t.Helper()
	files := []string{"/A", "/a/b/dup", "/a/with space", "/a/ünï", "/a-b", "/a.txt", "/b/\n", "/b/\xff\xfe", "/empty", "/set", "/zeros"}
	for _, name := range files {
		content := "content of " + name
		switch name {
		case "/empty":
			content = ""
		case "/zeros":
			content = strings.Repeat("\x00", 384<<10+1)
		}
		mode := os.FileMode(0o644)
		if name == "/set" {
			mode = 0o755 | os.ModeSetuid
		}
		write(t, root+name, content, mode)
	}
	if err := unix.Mkfifo(root+"/a/fifo", 0o644); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	t.Chdir(root)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "socket"}); err != nil {
		t.Fatal(err)
	}
	symlink(t, "a", root+"/dirlink")
	symlink(t, "A", root+"/link")
	symlink(t, "nowhere", root+"/dangling")
	return files
}

func paths(entries []parsers.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Path)
	}
	return all
}

// opensslSums hashes with another tool.
func opensslSums(t *testing.T, algorithm string, files []string) []string {
	t.Helper()
	out, err := exec.Command("openssl", append([]string{"dgst", "-r", "-" + algorithm}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var sums []string
	for line := range strings.Lines(string(out)) {
		// A backslash says that the name is escaped.
		sum, _, _ := strings.Cut(line, " *")
		sums = append(sums, strings.TrimPrefix(sum, `\`))
	}
	if len(sums) != len(files) {
		t.Fatalf("openssl gave %d digests of %d files", len(sums), len(files))
	}
	return sums
}
