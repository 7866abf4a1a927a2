package securityfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func noSleep(t *testing.T) func(time.Duration) {
	return func(time.Duration) { t.Error("sleeps") }
}

func TestBusy(t *testing.T) {
	for _, busy := range []int{0, 1, 99, 100} {
		opened, slept := 0, time.Duration(0)
		open := func() (int, error) {
			if opened++; opened <= busy {
				return -1, unix.EBUSY
			}
			return 7, nil
		}
		fd, err := retry(open, func(d time.Duration) { slept += d })
		if want := time.Duration(busy) * openPause; slept != want {
			t.Errorf("busy %d times: slept %v, want %v", busy, slept, want)
		}
		if busy < openTries && (fd != 7 || err != nil) || busy == openTries && err != unix.EBUSY {
			t.Errorf("busy %d times: %d, %v", busy, fd, err)
		}
	}
	if _, err := retry(func() (int, error) { return -1, unix.EACCES }, noSleep(t)); err != unix.EACCES {
		t.Errorf("no access: %v", err)
	}
}

func TestWindow(t *testing.T) {
	root := t.TempDir()
	if _, err := Open(root, Add, noSleep(t)); !errors.Is(err, ErrUnsupported) {
		t.Errorf("open of nothing: %v", err)
	}
	if err := Check(root); !errors.Is(err, ErrUnsupported) {
		t.Errorf("check of nothing: %v", err)
	}
	closed := t.TempDir()
	if err := os.Symlink("ima", filepath.Join(closed, "ima")); err != nil {
		t.Fatal(err)
	}
	if err := Check(closed); err == nil || errors.Is(err, ErrUnsupported) {
		t.Errorf("check where nothing can be told: %v", err)
	}
	data, count := filepath.Join(root, "ima/digest_list_data"), filepath.Join(root, "ima/digests_count")
	write(t, data, "")
	if err := Check(root); err != nil {
		t.Error(err)
	}
	w, err := Open(root, Add, noSleep(t))
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := w.Count(); ok {
		t.Errorf("count is %d without a file", n)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}

	write(t, count, "41\n")
	if w, err = Open(root, Add, noSleep(t)); err != nil {
		t.Fatal(err)
	}
	if n, ok := w.Count(); n != 41 || !ok {
		t.Errorf("count %d, %v", n, ok)
	}
	write(t, count, "4000000000\n")
	if n, ok := w.Count(); n != 4000000000 || !ok {
		t.Errorf("the count has changed, and is said to be %d, %v", n, ok)
	}
	write(t, count, "many\n")
	if n, ok := w.Count(); ok {
		t.Errorf("count %d", n)
	}
	if err := errors.Join(w.Upload([]byte("/one")), w.Close()); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(data); string(got) != "/one" {
		t.Errorf("wrote %q, %v", got, err)
	}
}

// As proc_keys(5) prints them.
const procKeys = `1d909f01 I--Q---     2 perm 1f3f0000     0 65534 keyring   _uid.0: empty
2cb1fa15 I------     1 perm 1f0b0000     0     0 asymmetri .ima: X509.rsa 01
0b5e0d1c I--Q---     1 perm 1f0b0000     0     0 keyring   .ima_blacklist: empty
3f0a2b1c I------     1 perm 1f0f0000     0     0 keyring   .ima: 1
`

func TestKernelKeyring(t *testing.T) {
	if id, err := findInKeys(strings.NewReader(procKeys), ".ima"); err != nil || id != 0x3f0a2b1c {
		t.Errorf("found %x, %v", id, err)
	}
	if id, err := findInKeys(strings.NewReader(procKeys), ".evm"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("found %x, %v", id, err)
	}
	for _, damaged := range []string{"", "zz I-- 1 perm 1 0 0 keyring .ima: 1", "3f0a2b1c keyring .ima:"} {
		if id, err := findInKeys(strings.NewReader(damaged), ".ima"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("found %x in %q, %v", id, damaged, err)
		}
	}
	// A list that cannot be read to its end does not say that there is none.
	if id, err := findInKeys(strings.NewReader(strings.Repeat("x", 1<<20)), ".ima"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("found %x, %v", id, err)
	}
}
