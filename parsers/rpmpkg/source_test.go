package rpmpkg_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/parsers"
	"digestlists/parsers/rpmpkg"
)

func lists(t *testing.T, s rpmpkg.Source, in parsers.Input) (all []*parsers.List, err error) {
	t.Helper()
	for list, err := range s.Lists(t.Context(), in) {
		if err != nil {
			if list != nil {
				t.Error("a list came with the error")
			}
			return all, err
		}
		all = append(all, list)
	}
	return all, nil
}

// The C tools make the same lists.
func TestGolden(t *testing.T) {
	want, err := filepath.Glob("testdata/want/*")
	if err != nil || len(want) == 0 {
		t.Fatal(err)
	}
	got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: []string{"testdata/rpms"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range want {
		i := slices.IndexFunc(got, func(l *parsers.List) bool { return l.Name == filepath.Base(path) })
		if i < 0 {
			t.Errorf("no list of %s", path)
		} else if !bytes.Equal(got[i].Content, hosttest.Read(t, path)) || got[i].Format != "rpm" {
			t.Errorf("%s differs", path)
		}
	}
}

// names returns the names of lists in the order in which they came.
func names(all []*parsers.List) (names []string) {
	for _, l := range all {
		names = append(names, l.Name)
	}
	return names
}

func TestOrder(t *testing.T) {
	want := []string{
		"gsha1-0.1-1-x86_64", // given first
		"g256-1.2-3-x86_64", "g256-1.2-3-x86_64", "g256-1.2-3-x86_64", "gdironly-0-1-noarch", "gempty-0-1-noarch",
		"gepoch-0-1-noarch", "glong-1-1-x86_64", "gmd5-0.1-1-x86_64", "gmd5-0.1-1-x86_64", "gnoarch-0.1-1-noarch",
		"gsha1-0.1-1-x86_64", "gsha224-0.1-1-x86_64", "gsha384-0.1-1-x86_64", "gsha512-0.1-1-x86_64", "gsha512-0.1-1-x86_64",
		"gempty-0-1-noarch", // standard input
	}
	for _, jobs := range []int{0, 1, 2, 7, 100} {
		stdin := bytes.NewReader(hosttest.Read(t, "testdata/rpms/gempty-0-1.noarch.rpm"))
		var done []int
		got, err := lists(t, rpmpkg.Source{Stdin: stdin}, parsers.Input{
			Paths:    []string{"testdata/rpms/gsha1-0.1-1.x86_64.rpm", "testdata/rpms", "-"},
			Jobs:     jobs,
			Progress: func(n int) { done = append(done, n) },
		})
		if err != nil || !slices.Equal(names(got), want) {
			t.Errorf("%d jobs: %q, %v, want %q", jobs, names(got), err, want)
		}
		if len(done) != len(want) || done[len(done)-1] != len(want) {
			t.Errorf("%d jobs: progress %v", jobs, done)
		}
	}
}

// The entries of a list, file signatures too, are the same after many other lists.
func TestEntriesLater(t *testing.T) {
	signed := "testdata/rpms/g256-1.2-3.x86_64.imasigned.rpm"
	paths := append([]string{signed}, slices.Repeat([]string{"testdata/rpms/g256-1.2-3.x86_64.rpm"}, 50)...)
	got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: paths, Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	compareFiles(t, got[0], query(t, signed, fileTable))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, hosttest.Read(t, from), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Folders are searched for .rpm files and other folders; links in them are left
// alone, but one that was named is followed.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	copyFile(t, "testdata/rpms/gempty-0-1.noarch.rpm", filepath.Join(dir, "packages", "z.rpm"))
	copyFile(t, "testdata/rpms/gmd5-0.1-1.x86_64.rpm", filepath.Join(dir, "packages", "sub.rpm", "a.rpm"))
	copyFile(t, "testdata/README", filepath.Join(dir, "packages", "README"))
	for link, target := range map[string]string{
		"packages/dangling.rpm": "nowhere",
		"packages/again.rpm":    "z.rpm",
		"packages/loop":         ".",
		"link":                  "packages",
		"link.rpm":              "packages/z.rpm",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"packages", "link"} {
		got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: []string{filepath.Join(dir, path)}})
		if want := []string{"gmd5-0.1-1-x86_64", "gempty-0-1-noarch"}; err != nil || !slices.Equal(names(got), want) {
			t.Errorf("%s: %q, %v, want %q", path, names(got), err, want)
		}
	}
	got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: []string{filepath.Join(dir, "link.rpm")}})
	if err != nil || len(got) != 1 {
		t.Errorf("a link that was named: %q, %v", names(got), err)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	join := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, raw []byte) string {
		if err := os.WriteFile(join(name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return join(name)
	}
	good := hosttest.Read(t, "testdata/rpms/g256-1.2-3.x86_64.rpm")
	change := func(name string, at int, to byte) string {
		bad := slices.Clone(good)
		bad[at] = to
		return write(name, bad)
	}
	if err := errors.Join(
		syscall.Mkfifo(join("fifo"), 0o644),
		os.MkdirAll(join("with-fifo/x"), 0o755),
		syscall.Mkfifo(join("with-fifo/x/fifo.rpm"), 0o644),
		os.Mkdir(join("empty"), 0o755),
		os.Symlink("nowhere", join("dangling")),
	); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		paths []string
		class error
		text  string
	}{
		"nothing":              {nil, rpmpkg.ErrNoPackages, ""},
		"empty folder":         {[]string{join("empty")}, rpmpkg.ErrNoPackages, "empty"},
		"missing":              {[]string{join("missing.rpm")}, fs.ErrNotExist, "missing.rpm"},
		"dangling link":        {[]string{join("dangling")}, fs.ErrNotExist, "dangling"},
		"fifo":                 {[]string{join("fifo")}, nil, "not a regular file"},
		"fifo in a folder":     {[]string{join("with-fifo")}, nil, "not a regular file"},
		"device":               {[]string{"/dev/zero"}, nil, "not a regular file"},
		"standard input twice": {[]string{"-", "-"}, nil, "given twice"},
		"empty file":           {[]string{write("empty.rpm", nil)}, io.ErrUnexpectedEOF, `empty.rpm": offset 0: lead`},
		"cut in the lead":      {[]string{"testdata/bad/trunc-50.rpm"}, io.ErrUnexpectedEOF, "offset 50: lead"},
		"cut after the lead":   {[]string{"testdata/bad/trunc-96.rpm"}, io.ErrUnexpectedEOF, "offset 96: signature header"},
		"cut in the signature": {[]string{"testdata/bad/trunc-200.rpm"}, io.ErrUnexpectedEOF, "offset 200: signature header"},
		"cut in the header":    {[]string{write("cut.rpm", good[:len(good)-1])}, io.ErrUnexpectedEOF, "header: truncated"},
		"source package":       {[]string{"testdata/bad/gsource-1-1.src.rpm"}, rpmpkg.ErrSource, "gsource"},
		"not a package":        {[]string{"testdata/README"}, compact.ErrMalformed, "offset 0: lead"},
		"format 5":             {[]string{change("v5.rpm", 4, 5)}, compact.ErrUnsupportedVersion, "offset 4: lead"},
		"type 2":               {[]string{change("type2.rpm", 7, 2)}, compact.ErrMalformed, "offset 6: lead"},
		"signature magic":      {[]string{change("sigmagic.rpm", 96, 0)}, compact.ErrMalformed, "offset 96: signature header"},
		"huge signature index": {[]string{change("sigindex.rpm", 104, 0xff)}, compact.ErrTooLarge, "offset 104: index count"},
		"huge signature data":  {[]string{change("sigdata.rpm", 108, 0x0f)}, io.ErrUnexpectedEOF, "signature header"},
		"header magic":         {[]string{change("magic.rpm", len(good)-4373, 0)}, compact.ErrMalformed, ": header"},
		"changed file name":    {[]string{change("digest.rpm", len(good)-100, 'x')}, nil, "header digest does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: tt.paths})
			if err == nil || len(got) > 0 {
				t.Fatalf("%q, %v, want an error", names(got), err)
			}
			if tt.class != nil && !errors.Is(err, tt.class) {
				t.Errorf("error is %v, want %v", err, tt.class)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error is %v, want %q in it", err, tt.text)
			}
		})
	}
}

// A path that leads through a file is not an empty folder.
func TestFileOnTheWay(t *testing.T) {
	path := filepath.Join("testdata", "README", "rpms")
	if _, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: []string{path}}); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("error is %v, want %v", err, syscall.ENOTDIR)
	}
}

// A read that fails is not the end of the file.
func TestReadError(t *testing.T) {
	broken := errors.New("broken disk")
	head := hosttest.Read(t, "testdata/rpms/g256-1.2-3.x86_64.rpm")[:1000]
	stdin := io.MultiReader(bytes.NewReader(head), iotestErr{broken})
	_, err := lists(t, rpmpkg.Source{Stdin: stdin}, parsers.Input{Paths: []string{"-"}})
	if !errors.Is(err, broken) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v, want %v", err, broken)
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

// The error is that of the first bad package whatever is read at the same time.
func TestErrorOrder(t *testing.T) {
	paths := []string{"testdata/rpms/gmd5-0.1-1.x86_64.rpm", "testdata/bad/trunc-200.rpm", "testdata/bad/trunc-50.rpm", "testdata/rpms/gmd5-0.1-1.x86_64.rpm"}
	for jobs := range 5 {
		got, err := lists(t, rpmpkg.Source{}, parsers.Input{Paths: paths, Jobs: jobs})
		if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "trunc-200.rpm") {
			t.Errorf("%d jobs: %q, %v", jobs, names(got), err)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range (rpmpkg.Source{}).Lists(ctx, parsers.Input{Paths: []string{"testdata/rpms"}, Jobs: 1}) {
		if last = err; err == nil {
			n++
			cancel()
		}
	}
	if n == 0 || n > 3 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d lists, then %v", n, last)
	}
}

// An error does not wait for standard input that never comes.
func TestSilentInput(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	_, err := lists(t, rpmpkg.Source{Stdin: r}, parsers.Input{Paths: []string{"testdata/bad/trunc-50.rpm", "-"}, Jobs: 2})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v, want %v", err, io.ErrUnexpectedEOF)
	}
}
