package filehash_test

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"digestlists/compact"
	"digestlists/internal/filehash"
)

func open(t *testing.T, content string) filehash.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	file := filehash.File{Fd: fd, Path: path, Stat: new(unix.Stat_t)}
	if err := unix.Fstat(fd, file.Stat); err != nil {
		t.Fatal(err)
	}
	return file
}

// One file can be hashed with several algorithms, one after the other.
func TestSum(t *testing.T) {
	var h filehash.Hasher
	for _, content := range []string{"", "abc", strings.Repeat("0123456789", 100_000)} {
		file := open(t, content)
		long, short := sha256.Sum256([]byte(content)), md5.Sum([]byte(content))
		for a, want := range map[compact.Algorithm][]byte{compact.SHA256: long[:], compact.MD5: short[:]} {
			for range 2 {
				if got, err := h.Sum(t.Context(), file, a, []byte("x")); err != nil || !slices.Equal(got[1:], want) {
					t.Errorf("%d bytes, %s: %x, %v", len(content), a, got, err)
				}
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	if sum, err := new(filehash.Hasher).Sum(t.Context(), open(t, "abc"), compact.Algorithm(99), nil); err == nil || sum != nil {
		t.Errorf("%x, %v", sum, err)
	}
}

func TestChanged(t *testing.T) {
	for name, change := range map[string]func(filehash.File) error{
		"longer":     func(f filehash.File) error { return os.WriteFile(f.Path, []byte("longer"), 0o644) },
		"emptied":    func(f filehash.File) error { return os.Truncate(f.Path, 0) },
		"other mode": func(f filehash.File) error { return os.Chmod(f.Path, 0o600) },
	} {
		file := open(t, "abc")
		if err := change(file); err != nil {
			t.Fatal(err)
		}
		if sum, err := new(filehash.Hasher).Sum(t.Context(), file, compact.SHA256, nil); !errors.Is(err, filehash.ErrChanged) || sum != nil {
			t.Errorf("%s: %x, %v", name, sum, err)
		}
	}
}

// Files of pseudo file systems say that they are empty.
func TestSizeThatLies(t *testing.T) {
	fd, err := unix.Open("/proc/version", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	file := filehash.File{Fd: fd, Path: "/proc/version", Stat: new(unix.Stat_t)}
	if err := unix.Fstat(fd, file.Stat); err != nil {
		t.Fatal(err)
	}
	if sum, err := new(filehash.Hasher).Sum(t.Context(), file, compact.SHA256, nil); !errors.Is(err, filehash.ErrChanged) || sum != nil {
		t.Errorf("%x, %v", sum, err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if sum, err := new(filehash.Hasher).Sum(ctx, open(t, "abc"), compact.SHA256, nil); !errors.Is(err, context.Canceled) || sum != nil {
		t.Errorf("%x, %v", sum, err)
	}
}
