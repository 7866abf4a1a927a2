package tree

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/parsers"
)

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/good", "good", 0o644)
	symlink(t, "nowhere", dir+"/dangling")
	symlink(t, "loop", dir+"/loop")
	if err := unix.Mkfifo(dir+"/fifo", 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		in   parsers.Input
		err  error
		text string
	}{
		{"nothing", parsers.Input{}, nil, "no files given"},
		{"empty path", parsers.Input{Paths: []string{dir + "/good", ""}}, nil, "an empty path"},
		{"missing", parsers.Input{Paths: []string{dir + "/good", dir + "/missing"}}, fs.ErrNotExist, dir + "/missing"},
		{"dangling link", parsers.Input{Paths: []string{dir + "/dangling"}}, fs.ErrNotExist, dir + "/dangling"},
		{"link to itself", parsers.Input{Paths: []string{dir + "/loop"}}, unix.ELOOP, dir + "/loop"},
		{"fifo", parsers.Input{Paths: []string{dir + "/fifo"}}, nil, dir + "/fifo: not a regular file or a directory but a fifo"},
		{"device", parsers.Input{Paths: []string{"/dev/zero"}}, nil, "/dev/zero: not a regular file or a directory but a device"},
		{"file as a directory", parsers.Input{Paths: []string{dir + "/good/x"}}, unix.ENOTDIR, dir + "/good/x"},
		{"outside the root", parsers.Input{Paths: []string{dir + "/good"}, Root: dir + "/go"}, nil, "is not under the root"},
		{"size that lies", parsers.Input{Paths: []string{"/proc/version"}}, ErrChanged, "/proc/version: the file changed while it was read: its size was 0"},
		{"algorithm", parsers.Input{Paths: []string{dir + "/good"}, Algorithm: compact.WP512}, compact.ErrUnsupportedAlgorithm, "wp512"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.in.Algorithm == 0 {
				test.in.Algorithm = compact.SHA256
			}
			_, got, err := make1(t, test.in)
			if err == nil || got != nil || test.err != nil && !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%d entries, error %v, want %v with %q", len(got), err, test.err, test.text)
			}
		})
	}
}

// asNobody calls fn without root's rights over files. They are those of the whole
// process: tests of this package do not run in parallel.
func asNobody(t *testing.T, fn func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		if err := unix.Setresuid(-1, 65534, -1); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := unix.Setresuid(-1, 0, -1); err != nil {
				t.Fatal(err)
			}
		}()
	}
	fn()
}

// TestUnreadable loses no file that it may not read.
func TestUnreadable(t *testing.T) {
	for _, name := range []string{"dir/file", "dir"} {
		root, err := os.MkdirTemp("/tmp", "tree")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(root)
		write(t, root+"/a", "a", 0o644)
		write(t, root+"/dir/file", "b", 0o644)
		for path, mode := range map[string]os.FileMode{root: 0o755, root + "/" + name: 0} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		asNobody(t, func() {
			_, got, err := make1(t, parsers.Input{Paths: []string{root}, Algorithm: compact.SHA256})
			if got != nil || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), root+"/"+name) {
				t.Errorf("%s: error %v", name, err)
			}
		})
	}
}

// TestChanged changes a file between the walk and the reading, which is when the
// selection is asked.
func TestChanged(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(path string) error
		err    error
	}{
		{"longer", func(path string) error { return os.WriteFile(path, []byte("longer"), 0o644) }, ErrChanged},
		{"emptied", func(path string) error { return os.Truncate(path, 0) }, ErrChanged},
		{"replaced", func(path string) error {
			return errors.Join(os.WriteFile(path+"~", []byte("abc"), 0o644), os.Rename(path+"~", path))
		}, ErrChanged},
		{"written to", func(path string) error {
			ts := []unix.Timespec{{Sec: 1}, {Sec: 1}}
			return unix.UtimesNanoAt(unix.AT_FDCWD, path, ts, 0)
		}, ErrChanged},
		{"now a link", func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) }, unix.ELOOP},
		{"now a fifo", func(path string) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o644)) }, ErrChanged},
		{"removed", os.Remove, fs.ErrNotExist},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root+"/file", "abc", 0o644)
			in := parsers.Input{Paths: []string{root}, Algorithm: compact.SHA256, Select: func(e *parsers.Entry) bool {
				if err := test.change(e.Path); err != nil {
					t.Error(err)
				}
				return true
			}}
			if _, got, err := make1(t, in); got != nil || !errors.Is(err, test.err) || !strings.Contains(err.Error(), root+"/file") {
				t.Errorf("%d entries, error %v, want %v", len(got), err, test.err)
			}
		})
	}
}
