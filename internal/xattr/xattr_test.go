package xattr_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"digestlists/internal/xattr"
)

const attr = "user.digestlists"

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRoundTrip(t *testing.T) {
	path := newFile(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())
	buf := make([]byte, 0, xattr.Room)

	for _, size := range []int{0, 1, 1023, 1024, 1025, 3000} {
		value := bytes.Repeat([]byte{0xa5}, size)
		if err := xattr.Set(path, attr, value); err != nil {
			t.Fatal(err)
		}
		byPath, err := xattr.Get(path, attr)
		if err != nil || !bytes.Equal(byPath, value) {
			t.Errorf("%d bytes by path: %d bytes, %v", size, len(byPath), err)
		}
		// One at a time: ext4 has room for about 4 KiB of attributes.
		if err := xattr.Remove(path, attr); err != nil {
			t.Fatal(err)
		}
		if err := xattr.SetFd(fd, attr, value); err != nil {
			t.Fatal(err)
		}
		byFd, err := xattr.GetFd(fd, attr)
		if err != nil || !bytes.Equal(byFd, value) {
			t.Errorf("%d bytes by fd: %d bytes, %v", size, len(byFd), err)
		}
		into, err := xattr.GetFdInto(buf, fd, attr)
		if err != nil || !bytes.Equal(into, value) {
			t.Errorf("%d bytes into a buffer: %d bytes, %v", size, len(into), err)
		}
		if inBuf := size > 0 && &into[0] == &buf[:1][0]; inBuf != (size > 0 && size <= cap(buf)) {
			t.Errorf("%d bytes: in the buffer is %v", size, inBuf)
		}
		if err := xattr.RemoveFd(fd, attr); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGetfattr checks what we write with another tool, and the other way round.
func TestGetfattr(t *testing.T) {
	path := newFile(t)
	if err := xattr.Set(path, "security.ima", []byte{4, 4, 0xca, 0xfe}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("getfattr", "--absolute-names", "-e", "hex", "-n", "security.ima", path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "security.ima=0x0404cafe") {
		t.Errorf("getfattr: %v\n%s", err, out)
	}
	if out, err := exec.Command("setfattr", "-n", attr, "-v", "0x00ff", path).CombinedOutput(); err != nil {
		t.Fatalf("setfattr: %v\n%s", err, out)
	}
	value, err := xattr.Get(path, attr)
	if err != nil || !bytes.Equal(value, []byte{0, 0xff}) {
		t.Errorf("Get = %x, %v", value, err)
	}
}

func TestList(t *testing.T) {
	path := newFile(t)
	want := []string{"security.ima"}
	if err := xattr.Set(path, "security.ima", []byte{1}); err != nil {
		t.Fatal(err)
	}
	// More names than fit into the first buffer.
	for i := range 40 {
		name := attr + strings.Repeat("x", 30) + strconv.Itoa(i)
		if err := xattr.Set(path, name, nil); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	slices.Sort(want)
	names, err := xattr.List(path)
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "security.selinux" })
	if !slices.Equal(names, want) {
		t.Errorf("List = %q", names)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	byFd, err := xattr.ListFd(int(f.Fd()))
	if err != nil || len(byFd) < len(want) {
		t.Errorf("ListFd = %q, %v", byFd, err)
	}
}

func TestLinkIsNotFollowed(t *testing.T) {
	path := newFile(t)
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := xattr.Set(path, "security.ima", []byte("target")); err != nil {
		t.Fatal(err)
	}
	if value, err := xattr.Get(link, "security.ima"); !errors.Is(err, xattr.ErrAbsent) || value != nil {
		t.Errorf("Get of the link = %q, %v", value, err)
	}
	if err := xattr.Remove(link, "security.ima"); !errors.Is(err, xattr.ErrAbsent) {
		t.Errorf("Remove of the link: %v", err)
	}
	// User attributes on links are forbidden: the target's must not be set instead.
	if err := xattr.Set(link, attr, nil); !errors.Is(err, xattr.ErrPermission) {
		t.Errorf("Set of the link: %v", err)
	}
	if _, err := xattr.Get(path, attr); !errors.Is(err, xattr.ErrAbsent) {
		t.Errorf("the target has it: %v", err)
	}
}

func TestErrors(t *testing.T) {
	path := newFile(t)
	classes := []error{xattr.ErrAbsent, xattr.ErrUnsupported, xattr.ErrPermission, fs.ErrNotExist}
	for name, c := range map[string]struct {
		err  error
		want error
		text string
	}{
		"absent":         {second(xattr.Get(path, attr)), xattr.ErrAbsent, path + ": get attribute " + attr},
		"remove absent":  {xattr.Remove(path, attr), xattr.ErrAbsent, "remove"},
		"missing file":   {second(xattr.Get(path+"x", attr)), fs.ErrNotExist, path + "x"},
		"missing list":   {second(xattr.List(path + "x")), fs.ErrNotExist, "list attributes"},
		"proc":           {xattr.Set("/proc/self/status", attr, nil), xattr.ErrUnsupported, "set"},
		"no such prefix": {xattr.Set(path, "nonsense.x", nil), xattr.ErrUnsupported, "nonsense.x"},
		"user on device": {xattr.Set("/dev/null", attr, nil), xattr.ErrPermission, "/dev/null"},
		"bad descriptor": {second(xattr.GetFd(-1, attr)), syscall.EBADF, "get attribute " + attr},
	} {
		t.Run(name, func(t *testing.T) {
			var typed *xattr.Error
			if !errors.As(c.err, &typed) || !errors.Is(c.err, c.want) || !strings.Contains(c.err.Error(), c.text) {
				t.Fatalf("error %v, want %v", c.err, c.want)
			}
			for _, class := range classes {
				if class != c.want && errors.Is(c.err, class) {
					t.Errorf("%v is also %v", c.err, class)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }
