package inroot_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/inroot"
	"digestlists/internal/regular"

	"golang.org/x/sys/unix"
)

// tree makes a root with a file, links to it of every kind, and what is no file.
func tree(t *testing.T) *inroot.Root {
	t.Helper()
	dir := t.TempDir()
	for _, step := range []error{
		os.MkdirAll(filepath.Join(dir, "var/lib"), 0o755),
		os.WriteFile(filepath.Join(dir, "var/lib/file"), []byte("inside"), 0o644),
		os.Symlink("/var/lib", filepath.Join(dir, "absolute")),
		os.Symlink("var/lib", filepath.Join(dir, "relative")),
		os.Symlink("../../../../../../../../etc", filepath.Join(dir, "escape")),
		os.Symlink("file", filepath.Join(dir, "var/lib/link")),
		os.Symlink("loop", filepath.Join(dir, "loop")),
		unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	root, err := inroot.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestOpen(t *testing.T) {
	root := tree(t)
	for _, name := range []string{"/var/lib/file", "var/lib/file", "/../var/lib/../lib/file"} {
		f, err := root.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		f.Close()
		if string(content) != "inside" || err != nil {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	root := tree(t)
	for name, want := range map[string]error{
		"/absolute/file": inroot.ErrLink,
		"/relative/file": inroot.ErrLink,
		"/escape/passwd": inroot.ErrLink,
		"/var/lib/link":  inroot.ErrLink,
		"/var/lib/none":  fs.ErrNotExist,
		"/var/file/file": fs.ErrNotExist,
		"/var/lib":       regular.ErrNotRegular,
		"/fifo":          regular.ErrNotRegular,
	} {
		f, err := root.Open(name)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if f != nil {
			f.Close()
		}
		if !inroot.Gone(err) {
			t.Errorf("%s: %v does not say that there is no such file", name, err)
		}
	}
	if _, err := root.Open("/"); err == nil {
		t.Error("the root is no file")
	}
}

func TestReal(t *testing.T) {
	root := tree(t)
	for name, want := range map[string]string{
		"/absolute/file":    "/var/lib/file",
		"/relative":         "/var/lib",
		"var/lib/link":      "/var/lib/file",
		"/":                 "/",
		"/absolute/../..":   "/",
		"/var/lib/../lib/.": "/var/lib",
	} {
		if got, err := root.Real(name); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]error{"/escape": fs.ErrNotExist, "/loop": unix.ELOOP, "/none": fs.ErrNotExist} {
		if got, err := root.Real(name); !errors.Is(err, want) {
			t.Errorf("%s: %q, %v, want %v", name, got, err, want)
		}
	}
}
