package selinux_test

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/selinux"

	"golang.org/x/sys/unix"
)

// matchpathcon returns the labels of paths, in order, that libselinux finds for regular files.
func matchpathcon(t *testing.T, policy string, paths []string) []string {
	t.Helper()
	cmd := exec.Command("matchpathcon", append([]string{"-n", "-m", "file", "-P", policy}, paths...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// compare looks the paths up in both ways.
func compare(t *testing.T, policy string, paths []string) {
	t.Helper()
	p, err := selinux.Open(filepath.Join(policy, "contexts/files/file_contexts"))
	if err != nil {
		t.Fatal(err)
	}
	labels := make(map[string]int)
	for len(paths) > 0 {
		some := paths[:min(len(paths), 3000)]
		paths = paths[len(some):]
		want := matchpathcon(t, policy, some)
		if len(want) != len(some) {
			t.Fatalf("matchpathcon: %d labels for %d paths", len(want), len(some))
		}
		for i, path := range some {
			got := p.Label(path, unix.S_IFREG|0o644)
			if got == "" {
				got = "<<none>>"
			}
			labels[got]++
			if got != want[i] {
				t.Errorf("%s: %s, matchpathcon %s", path, got, want[i])
			}
		}
	}
	if len(labels) < 5 {
		t.Errorf("the paths have %d different labels: too few to compare", len(labels))
	}
}

// A small policy that has each rule of precedence.
func TestPrecedence(t *testing.T) {
	compare(t, "testdata/policy", []string{
		"/a/lit", "/a/lat", "/a/zz", "/a/home", "/n/1", "/d/1", "/e/esc.txt", "/e/escatxt", "/alt", "/alu", "/altz", "/qalu",
		"/long/b/z", "/s/1", "/p/q/1", "/p/1", "/r/q/1", "/r/1", "/chain/1", "/s2/1", "/root2/a/lit", "/root2", "/dup/b/1",
		"/both/1", "//a//lit", "/a/lit/", "/sx", "/x/1", "/h/1", "/h/ü", "/", "/class|1", "/class(1", "/group1", "/group3",
		"/stem", "/stem/two", "/stem/twofold", "/stem3", "/stem/3/stem3", "/stem4",
	})
}

// The policy of Debian, over the files of this system, paths of other ones, and the
// expressions themselves with their special characters taken out.
func TestDebianPolicy(t *testing.T) {
	const policy = "/etc/selinux/default"
	var paths []string
	for _, root := range []string{"/usr/bin", "/usr/sbin", "/usr/lib", "/etc"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && len(paths) < 4000 && !strings.Contains(path, "\n") {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	contexts, err := os.ReadFile(policy + "/contexts/files/file_contexts")
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("(/.*)?", "/below", ".*", "some", `\`, "", "(", "", ")", "", "?", "", "[^/]*", "part", "[^/]+", "part", "+", "", "|", "", "$", "", "^", "")
	for scanner := bufio.NewScanner(bytes.NewReader(contexts)); scanner.Scan(); {
		if fields := strings.Fields(scanner.Text()); len(fields) > 0 && fields[0][0] == '/' {
			paths = append(paths, plain.Replace(fields[0]))
		}
	}
	compare(t, policy, paths)
}

func TestBadFiles(t *testing.T) {
	for content, want := range map[string]string{
		"/a\n":                             "line 1: 1 fields",
		"\n# c\n/a -x u:r:t:s0\n":          `line 3: type of file "-x"`,
		"/a -- u:r:t:s0 more\n":            "line 1: 4 fields",
		"/a u:r\n":                         `bad label "u:r"`,
		"/a u::t:s0\n":                     `bad label "u::t:s0"`,
		"/a u:r:t:s0\n/(b u:r:t:s0\n":      "line 2: error parsing regexp",
		"/a(?=b) u:r:t:s0\n":               "line 1: error parsing regexp",
		"/a -- <<none>\n":                  "bad label",
		"/ok u:r:t:s0\r\n/a\xff* u:r:t:s0": "line 2: error parsing regexp: invalid UTF-8",
	} {
		file := filepath.Join(t.TempDir(), "file_contexts")
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := selinux.Open(file)
		if p != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: error %v, want the file and %s", content, err, want)
		}
	}
}

func TestBadSubs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file_contexts")
	if err := errors.Join(
		os.WriteFile(file, []byte("/a u:r:t:s0\n"), 0o644),
		os.WriteFile(file+".subs_dist", []byte("/a /b\n/alone\n"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := selinux.Open(file); err == nil || !strings.Contains(err.Error(), "subs_dist: line 2") {
		t.Errorf("error %v", err)
	}
}

func TestLoad(t *testing.T) {
	if p, err := selinux.Load("/"); err != nil || !strings.HasPrefix(p.Label("/etc/shadow", unix.S_IFREG), "system_u:object_r:shadow_t") {
		t.Errorf("the system's policy: %v", err)
	}
	t.Chdir("/etc")
	for _, root := range []string{"", ".."} {
		if _, err := selinux.Load(root); err != nil {
			t.Errorf("the same, below %q: %v", root, err)
		}
	}
	root := t.TempDir()
	if _, err := selinux.Load(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a root without a policy: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "etc/selinux"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"SELINUX=enforcing\n", "SELINUXTYPE=\n", "SELINUXTYPE=../x\n", "SELINUXTYPE=..\n"} {
		if err := os.WriteFile(filepath.Join(root, "etc/selinux/config"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := selinux.Load(root); err == nil || !strings.Contains(err.Error(), "SELINUXTYPE") {
			t.Errorf("%q: error %v", content, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, name := range []string{"", ".homedirs", ".local", ".subs", ".subs_dist"} {
		data, err := os.ReadFile("testdata/policy/contexts/files/file_contexts" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "file_contexts")
		if err := errors.Join(os.WriteFile(file, content, 0o600), os.WriteFile(file+".subs", content, 0o600)); err != nil {
			t.Fatal(err)
		}
		p, err := selinux.Open(file)
		if err != nil {
			return
		}
		if label := p.Label("/a/lit", unix.S_IFREG); label != "" && selinux.CheckLabel(label) != nil {
			t.Fatalf("label %q", label)
		}
	})
}

func BenchmarkLabel(b *testing.B) {
	p, err := selinux.Load("/")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.Label("/usr/share/doc/package/README", unix.S_IFREG)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := selinux.Load("/"); err != nil {
			b.Fatal(err)
		}
	}
}
