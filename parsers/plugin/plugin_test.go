package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/parsers"
)

// pluginDir returns a folder that is safe whatever the umask is.
func pluginDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// script writes a plug-in.
func script(t *testing.T, path, body string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// list is a compact list as a shell would print it: type, modifiers, two MD5 digests.
func list(typ, modifiers int) string {
	return fmt.Sprintf(`\001\000\%03o\000\%03o\000\001\000\002\000\000\000\040\000\000\000abcdefghijklmnop0123456789abcdef`, typ, modifiers)
}

func wantEntries(modifiers compact.Modifiers) []parsers.Entry {
	e := parsers.Entry{Type: compact.TypeFile, Modifiers: modifiers, Algorithm: compact.MD5}
	first, second := e, e
	first.Digest, second.Digest = []byte("abcdefghijklmnop"), []byte("0123456789abcdef")
	return []parsers.Entry{first, second}
}

var fileOptions = parsers.Options{Type: compact.TypeFile}

func TestParser(t *testing.T) {
	dir := pluginDir(t)
	for _, test := range []struct {
		name, body string
		want       []parsers.Entry
	}{
		{"immutable", `printf '` + list(2, 1) + `'`, wantEntries(compact.Immutable)},
		{"mutable, noise on standard error", `echo noise >&2; printf '` + list(2, 0) + `'`, wantEntries(0)},
		{"no digests", `printf '\001\000\002\000\000\000\004\000\000\000\000\000\000\000\000\000'`, nil},
		{"input passed through", `[ "$(cat)" = "the list" ] && printf '` + list(2, 0) + `'`, wantEntries(0)},
		{"input not read", `exec 0<&-; printf '` + list(2, 0) + `'`, wantEntries(0)},
		{"type", `[ "$DIGEST_LIST_TYPE" = file ] && [ $# = 0 ] && printf '` + list(2, 0) + `'`, wantEntries(0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Parser{Path: script(t, dir+"/parser-x", test.body)}
			got, err := parsers.Collect(p.Parse([]byte("the list"), fileOptions))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLargeInput gives more than a pipe holds to a plug-in that writes before it reads.
func TestLargeInput(t *testing.T) {
	path := script(t, pluginDir(t)+"/parser-x", `printf '`+list(2, 0)+`'; [ "$(wc -c)" -eq 1000000 ]`)
	p := Parser{Path: path}
	got, err := parsers.Collect(p.Parse(make([]byte, 1000000), fileOptions))
	if err != nil || len(got) != 2 {
		t.Errorf("%d entries, error %v", len(got), err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("SECRET", "of the caller")
	dir := pluginDir(t)
	out := dir + "/out"
	p := Parser{Path: script(t, dir+"/parser-x", "/usr/bin/env >"+out+"; for fd in 0 1 2; do [ -p /dev/fd/$fd ] || exit 9; done; exit 1")}
	if _, err := parsers.Collect(p.Parse(nil, fileOptions)); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Fatalf("error %v, want exit status 1: three pipes", err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[name] = value
	}
	delete(got, "PWD") // set by the shell
	delete(got, "_")
	delete(got, "SHLVL")
	delete(got, "OLDPWD")
	want := map[string]string{"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "DIGEST_LIST_TYPE": "file"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadOutput(t *testing.T) {
	dir := pluginDir(t)
	for _, test := range []struct {
		name, body string
		limits     Limits
		err        error
		text       string
	}{
		{"nothing", "exit 0", Limits{}, nil, "output: nothing, want a compact list"},
		{"failure", "printf '" + list(2, 0) + "'; echo it broke >&2; exit 3", Limits{}, nil, `exit status 3: "it broke"`},
		{"killed", "kill -9 $$", Limits{}, nil, "signal: killed"},
		{"text", "echo hello", Limits{}, compact.ErrTruncated, "output: "},
		{"cut", "printf '" + strings.TrimSuffix(list(2, 0), "f") + "'", Limits{}, compact.ErrTruncated, "output: "},
		{"byte too many", "printf '" + list(2, 0) + "x'", Limits{}, compact.ErrTruncated, "output: "},
		{"another type", "printf '" + list(1, 0) + "'", Limits{}, compact.ErrUnsupportedType, "output: unsupported type: parser, want file"},
		{"another type later", "printf '" + list(2, 0) + list(0, 0) + "'", Limits{}, compact.ErrUnsupportedType, "output: unsupported type: key, want file"},
		{"unknown modifier", "printf '" + list(2, 2) + "'", Limits{}, compact.ErrUnsupportedModifier, "output: "},
		{"too much", "exec cat /dev/zero", Limits{MaxOutput: 100000}, compact.ErrTooLarge, "output of more than 100000 bytes"},
		{"too long", "sleep 1000", Limits{Timeout: 50 * time.Millisecond}, context.DeadlineExceeded, "no end after 50ms"},
		{"too long, children", "sleep 1000 & sleep 1000", Limits{Timeout: 50 * time.Millisecond}, context.DeadlineExceeded, "no end after 50ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Parser{Path: script(t, dir+"/parser-x", test.body), Limits: test.limits}
			yields := 0
			for e, err := range p.Parse(nil, fileOptions) {
				yields++
				if e != nil || err == nil || test.err != nil && !errors.Is(err, test.err) ||
					!strings.HasPrefix(err.Error(), p.Path+": ") || !strings.Contains(err.Error(), test.text) {
					t.Errorf("entry %v, error %v, want %v with %q", e, err, test.err, test.text)
				}
			}
			if yields != 1 {
				t.Errorf("%d yields, want only the error", yields)
			}
		})
	}
}

// TestMessage keeps only the end of what a plug-in complains.
func TestMessage(t *testing.T) {
	path := script(t, pluginDir(t)+"/parser-x", "yes complaint | head -c 1000000 >&2; echo the end >&2; exit 1")
	_, err := parsers.Collect((&Parser{Path: path}).Parse(nil, fileOptions))
	if err == nil || len(err.Error()) > 2*maxMessage || !strings.HasSuffix(err.Error(), `the end"`) {
		t.Errorf("error %v", err)
	}
}

func TestSource(t *testing.T) {
	dir := pluginDir(t)
	body := `[ "$DIGEST_LIST_TYPE $DIGEST_LIST_ALGORITHM $DIGEST_LIST_ROOT" = "file sha512 /mnt" ] || exit 1
[ "$#" = 3 ] && [ "$1" = "/x/a b" ] && [ "$2" = -n ] && [ "$3" = "" ] || exit 2
[ -z "$(cat)" ] || exit 3
printf '` + list(2, 1) + "'"
	s := Source{Path: script(t, dir+"/generator-x", body)}
	in := parsers.Input{
		Paths: []string{"/x/a b", "-n", ""}, Root: "/mnt/", Algorithm: compact.SHA512, Type: compact.TypeFile,
	}
	for l, err := range s.Lists(t.Context(), in) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsers.Collect(l.Entries)
		if err != nil {
			t.Fatal(err)
		}
		if l.Name != "a b" || l.Format != "" || l.Content != nil {
			t.Errorf("list %+v", l)
		}
		if diff := cmp.Diff(wantEntries(compact.Immutable), got); diff != "" {
			t.Error(diff)
		}
	}
	in.Select = func(e *parsers.Entry) bool { return string(e.Digest) == "0123456789abcdef" }
	for l := range s.Lists(t.Context(), in) {
		got, err := parsers.Collect(l.Entries)
		if err != nil || len(got) != 1 {
			t.Errorf("%d selected entries, error %v, want 1", len(got), err)
		}
	}
	if name := s.listName(nil); name != "x" {
		t.Errorf("name %q, want x", name)
	}
}

func TestSourceCancelled(t *testing.T) {
	s := Source{Path: script(t, pluginDir(t)+"/generator-x", "sleep 1000")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for l := range s.Lists(ctx, parsers.Input{Type: compact.TypeFile}) {
		if _, err := parsers.Collect(l.Entries); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
}

func TestDiscover(t *testing.T) {
	dir := pluginDir(t)
	both := script(t, dir+"/parser-both", "exit 1")
	generator := script(t, dir+"/generator-both", "exit 1")
	script(t, dir+"/elsewhere", "exit 1")
	link := dir + "/parser-a+b_1"
	if err := os.Symlink("./elsewhere", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README", "other-thing", "xparser-y"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Discover(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := parsers.Registry{
		{Name: "a+b_1", Help: "plug-in", Parser: &Parser{Path: link}},
		{Name: "both", Help: "plug-in", Parser: &Parser{Path: both}, Source: &Source{Path: generator}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Discover(dir + "/missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: error %v", err)
	}
}

// unsafePlugins are the ways in which a plug-in can be somebody else's. Each starts
// from a good one at dir/plugins/parser-x.
var unsafePlugins = []struct {
	name string
	make func(dir, path string) error
	text string
}{
	{"writable by the group", func(_, path string) error { return os.Chmod(path, 0o775) }, "writable by others (mode 0775)"},
	{"writable by all", func(_, path string) error { return os.Chmod(path, 0o757) }, "writable by others (mode 0757)"},
	{"owned by another user", func(_, path string) error { return os.Chown(path, 12345, 0) }, "belongs to user 12345"},
	{"not executable", func(_, path string) error { return os.Chmod(path, 0o644) }, "is not executable"},
	{"directory", func(_, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) }, "is not a regular file"},
	{"fifo", func(_, path string) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o755)) }, "is not a regular file"},
	{"dangling link", func(_, path string) error { return errors.Join(os.Remove(path), os.Symlink("nowhere", path)) }, "no such file"},
	{"link to itself", func(_, path string) error {
		return errors.Join(os.Remove(path), os.Symlink(filepath.Base(path), path))
	}, "more than 40 links"},
	{"link of another user", func(_, path string) error {
		return errors.Join(os.Rename(path, path+"~"), os.Symlink(path+"~", path), os.Lchown(path, 12345, 0))
	}, "belongs to user 12345"},
	{"link to a writable directory", func(dir, path string) error {
		return errors.Join(moveTo(dir+"/open", path), os.Chmod(dir+"/open", 0o777))
	}, "open is writable by others"},
	{"link to a directory of another user", func(dir, path string) error {
		return errors.Join(moveTo(dir+"/theirs", path), os.Chown(dir+"/theirs", 12345, 0))
	}, "belongs to user 12345"},
	{"relative link through a writable directory", func(dir, path string) error {
		return errors.Join(moveTo(dir+"/open/deep", path), os.Remove(path),
			os.Symlink("../open/deep/x", path), os.Chmod(dir+"/open", 0o777))
	}, "open is writable by others"},
	{"directory above writable", func(dir, _ string) error { return os.Chmod(dir, 0o775) }, "is writable by others"},
}

// moveTo puts the plug-in into another directory, with a link in its place.
func moveTo(dir, path string) error {
	return errors.Join(os.MkdirAll(dir, 0o755), os.Rename(path, dir+"/x"), os.Symlink(dir+"/x", path))
}

func TestUnsafe(t *testing.T) {
	for _, test := range unsafePlugins {
		if strings.HasPrefix(test.text, "belongs") && os.Geteuid() != 0 {
			continue // only root gives files away
		}
		t.Run(test.name, func(t *testing.T) {
			dir := pluginDir(t)
			if err := os.Mkdir(dir+"/plugins", 0o755); err != nil {
				t.Fatal(err)
			}
			path := script(t, dir+"/plugins/parser-x", "touch "+dir+"/ran; printf '"+list(2, 0)+"'")
			if err := test.make(dir, path); err != nil {
				t.Fatal(err)
			}
			registry, err := Discover(dir + "/plugins")
			if registry != nil || err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("discovered %v, error %v, want %q", registry, err, test.text)
			}
			got, err := parsers.Collect((&Parser{Path: path}).Parse(nil, fileOptions))
			if got != nil || err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("run: error %v, want %q", err, test.text)
			}
			if _, err := os.Lstat(dir + "/ran"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it ran")
			}
		})
	}
}

func TestUnsafeFolder(t *testing.T) {
	for _, mode := range []os.FileMode{0o775, 0o777, 0o777 | os.ModeSticky} {
		dir := pluginDir(t)
		script(t, dir+"/parser-x", "exit 1")
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if registry, err := Discover(dir); registry != nil || !errors.Is(err, ErrUnsafe) {
			t.Errorf("mode %v: registry %v, error %v", mode, registry, err)
		}
	}
	file := script(t, pluginDir(t)+"/file", "")
	if _, err := Discover(file); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a file: error %v", err)
	}
}

// TestUnclean leaves out plug-ins with bad names, and keeps the others.
func TestUnclean(t *testing.T) {
	dir := pluginDir(t)
	script(t, dir+"/parser-good", "exit 1")
	bad := []string{"", "x~", "x.rpmsave", "a-b", "X", "+x", "a b", "ü", "x\n", strings.Repeat("x", 33)}
	for _, name := range bad {
		script(t, dir+"/generator-"+name, "exit 1")
	}
	registry, err := Discover(dir)
	if len(registry) != 1 || registry[0].Name != "good" {
		t.Errorf("registry %v", registry)
	}
	if !errors.Is(err, ErrUnsafe) {
		t.Fatalf("error %v", err)
	}
	for _, name := range bad {
		if !strings.Contains(err.Error(), fmt.Sprintf("the name %q is", name)) {
			t.Errorf("error %v, want %q in it", err, name)
		}
	}
}
