package tree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/parsers"
)

func TestTree(t *testing.T) {
	root := filepath.Join(t.TempDir(), "tree")
	want := plant(t, root)
	var full []string
	for _, path := range want {
		full = append(full, root+path)
	}
	for _, algorithm := range []compact.Algorithm{compact.MD5, compact.SHA1, compact.SHA256, compact.SHA512, compact.SM3} {
		sums := opensslSums(t, algorithm.String(), full)
		for _, jobs := range []int{0, 1, 3} {
			name, got, err := make1(t, parsers.Input{Paths: []string{root}, Root: root, Algorithm: algorithm, Jobs: jobs})
			if err != nil {
				t.Fatal(err)
			}
			if name != "tree" {
				t.Errorf("name %q, want tree", name)
			}
			if diff := cmp.Diff(want, paths(got)); diff != "" {
				t.Fatalf("%s with %d jobs: paths: %s", algorithm, jobs, diff)
			}
			for i, sum := range sums {
				checkEntry(t, root, got[i], sum)
			}
		}
	}
}

// checkEntry compares an entry with the file and its digest in hex.
func checkEntry(t *testing.T, root string, e parsers.Entry, sum string) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(root+e.Path, &st); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(e.Digest); got != sum {
		t.Errorf("%q: digest %s, want %s", e.Path, got, sum)
	}
	if uint32(e.Mode) != st.Mode || e.Size != st.Size || e.UID != st.Uid || e.GID != st.Gid {
		t.Errorf("%q: got %+v, want %+v", e.Path, e, st)
	}
	wantKnown := parsers.FieldPath | parsers.FieldMode | parsers.FieldSize | parsers.FieldIDs
	if e.Known != wantKnown || e.Type != compact.TypeFile || e.Modifiers != 0 {
		t.Errorf("%q: got %+v", e.Path, e)
	}
}

// TestNames holds how inputs and roots become the paths in a list.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/tree/usr/one", "1", 0o755)
	write(t, dir+"/tree/usr/two", "2", 0o755)
	symlink(t, "tree", dir+"/treelink")
	symlink(t, "one", dir+"/tree/usr/link")
	t.Chdir(dir)
	for _, test := range []struct {
		root   string
		inputs []string
		name   string
		want   []string
	}{
		{"", []string{dir + "/tree/usr/one"}, "one", []string{dir + "/tree/usr/one"}},
		{"/", []string{"tree/usr/two", "tree/usr/one"}, "two", []string{dir + "/tree/usr/two", dir + "/tree/usr/one"}},
		{"", []string{"tree"}, "tree", []string{dir + "/tree/usr/one", dir + "/tree/usr/two"}},
		{dir, []string{"./tree/"}, "tree", []string{"/tree/usr/one", "/tree/usr/two"}},
		{dir + "/tree/", []string{"tree/"}, "tree", []string{"/usr/one", "/usr/two"}},
		{dir + "/tree", []string{dir + "//tree/usr//"}, "usr", []string{"/usr/one", "/usr/two"}},
		{dir + "/tree", []string{"tree/../tree/usr"}, "usr", []string{"/usr/one", "/usr/two"}},
		{dir, []string{"treelink"}, "treelink", []string{"/treelink/usr/one", "/treelink/usr/two"}},
		{dir, []string{"tree/usr/link"}, "link", []string{"/tree/usr/link"}},
		{dir, []string{"tree/usr/one", "tree"}, "one", []string{"/tree/usr/one", "/tree/usr/one", "/tree/usr/two"}},
		{"tree", []string{dir + "/tree/usr/one"}, "one", []string{"/usr/one"}},
		{dir, []string{"."}, filepath.Base(dir), []string{"/tree/usr/one", "/tree/usr/two"}},
	} {
		name, got, err := make1(t, parsers.Input{Paths: test.inputs, Root: test.root, Algorithm: compact.SHA256})
		if err != nil {
			t.Errorf("%q in %q: %v", test.inputs, test.root, err)
			continue
		}
		if name != test.name {
			t.Errorf("%q: list named %q, want %q", test.inputs, name, test.name)
		}
		if diff := cmp.Diff(test.want, paths(got)); diff != "" {
			t.Errorf("%q in %q: %s", test.inputs, test.root, diff)
		}
	}
	if got := listName("/"); got != "root" {
		t.Errorf("/ named %q", got)
	}
}

func TestSelect(t *testing.T) {
	root := t.TempDir()
	plant(t, root)
	keep := func(e *parsers.Entry) bool {
		if e.Known&(parsers.FieldMode|parsers.FieldSize|parsers.FieldPath) == 0 || e.Digest != nil {
			t.Errorf("asked for %+v", e)
		}
		return parsers.Executable(e.Mode) && e.Size > 0
	}
	_, got, err := make1(t, parsers.Input{Paths: []string{root}, Root: root, Algorithm: compact.SHA256, Select: keep})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/set"}, paths(got)); diff != "" {
		t.Error(diff)
	}
}

// TestMany fills the pipeline more than once, with files of very different sizes.
func TestMany(t *testing.T) {
	root := t.TempDir()
	var want []string
	for i := range 2*window + 10 {
		name := fmt.Sprintf("/%02d/%04d", i/100, i)
		content := strings.Repeat(name, 1+i%7)
		if i%500 == 3 {
			content = strings.Repeat(name, 1<<16)
		}
		write(t, root+name, content, 0o644)
		sum := sha256.Sum256([]byte(content))
		want = append(want, name+" "+hex.EncodeToString(sum[:]))
	}
	reports := 0
	_, entries, err := make1(t, parsers.Input{Paths: []string{root}, Root: root, Algorithm: compact.SHA256, Progress: func(done int) {
		if reports++; done != reports*progressStep {
			t.Errorf("report %d says %d files", reports, done)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Path+" "+hex.EncodeToString(e.Digest))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if reports != len(want)/progressStep {
		t.Errorf("%d reports for %d files", reports, len(want))
	}
}

// TestStopEarly leaves the entries before the end: the workers must end with them.
func TestStopEarly(t *testing.T) {
	root := t.TempDir()
	plant(t, root)
	for list, err := range (Source{}).Lists(t.Context(), parsers.Input{Paths: []string{root}, Algorithm: compact.SHA256}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range list.Entries {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

func TestCancel(t *testing.T) {
	root := t.TempDir()
	for i := range 3 * window {
		write(t, fmt.Sprintf("%s/%d", root, i), "x", 0o644)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for list := range (Source{}).Lists(ctx, parsers.Input{Paths: []string{root}, Algorithm: compact.SHA256}) {
		n := 0
		for e, err := range list.Entries {
			if n++; n == 10 {
				cancel()
			}
			if err != nil {
				if e != nil || !errors.Is(err, context.Canceled) {
					t.Errorf("entry %v, error %v", e, err)
				}
				return
			}
		}
	}
	t.Error("the end of the list after it was cancelled")
}

// TestLargestFirst keeps workers from ending on a large file.
func TestLargestFirst(t *testing.T) {
	p := newPipeline()
	for _, size := range []int64{3, 1, 5, 4, 1} {
		j := <-p.free
		j.stat.Size = size
		p.submit(j)
	}
	p.end()
	var sizes []int64
	for j := p.next(); j != nil; j = p.next() {
		sizes = append(sizes, j.stat.Size)
	}
	if !slices.Equal(sizes, []int64{5, 4, 3, 1, 1}) {
		t.Errorf("order %v", sizes)
	}
}

func TestPathsFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/one", "1", 0o644)
	write(t, dir+"/cr\r", "2", 0o644)
	list := dir + "/list"
	for _, test := range []struct {
		name, content string
		want          []string
		text          string
	}{
		{"two", dir + "/one\n" + dir + "\n", []string{dir + "/one", dir}, ""},
		{"no newline", dir + "/one", []string{dir + "/one"}, ""},
		{"carriage return in the name", dir + "/cr\r\n", []string{dir + "/cr\r"}, ""},
		{"empty", "", nil, ": an empty file"},
		{"empty line", dir + "/one\n\n" + dir + "/one\n", nil, ": line 2: an empty line"},
		{"missing", dir + "/one\n" + dir + "/two\n", nil, `: line 2: "` + dir + `/two": no such file`},
		{"CRLF", dir + "/one\r\n", nil, "carriage return"},
		{"long", dir + "/one\n" + strings.Repeat("/x", maxPath), nil, ": line 2: a path of more than 4096 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, list, test.content, 0o644)
			got, err := PathsFile(list)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s, error %v", diff, err)
			}
			if (err != nil) != (test.text != "") || err != nil && (!strings.HasPrefix(err.Error(), list) || !strings.Contains(err.Error(), test.text)) {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
	for _, path := range []string{dir, dir + "/missing"} {
		if _, err := PathsFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// TestGolden hashes files of the C tools' test tree.
func TestGolden(t *testing.T) {
	contents := []string{"usr/bin/one", "usr/bin/two", "sub/dup1", "sub/a/b/dup2", "etc/a.conf"}
	var in parsers.Input
	for _, name := range contents {
		in.Paths = append(in.Paths, filepath.Join("testdata", "tree", name))
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	in.Root, in.Algorithm = filepath.Join(dir, "testdata/tree"), compact.SHA256
	name, got, err := make1(t, in)
	if err != nil || name != "one" {
		t.Fatalf("name %q, error %v", name, err)
	}
	var out strings.Builder
	w := compact.NewWriter(&out)
	for _, e := range got {
		if err := w.Add(compact.Block{Type: e.Type, Modifiers: compact.Immutable, Algorithm: e.Algorithm}, e.Digest); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/compact-multi")
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got %x, want %x", out.String(), want)
	}
}
