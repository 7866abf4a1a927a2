package regular_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/regular"

	"golang.org/x/sys/unix"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	file, fifo, link := filepath.Join(dir, "file"), filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("four"), 0o600), unix.Mkfifo(fifo, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		path  string
		flags int
		limit int64
		err   error
	}{
		{"whole", file, 0, 4, nil},
		{"through a link", link, 0, 4, nil},
		{"link refused", link, unix.O_NOFOLLOW, 4, unix.ELOOP},
		{"larger than wanted", file, 0, 3, regular.ErrTooLarge},
		{"fifo without a writer", fifo, 0, 4, regular.ErrNotRegular},
		{"folder", dir, 0, 4, regular.ErrNotRegular},
		{"device", os.DevNull, 0, 4, regular.ErrNotRegular},
		{"missing", filepath.Join(dir, "none"), 0, 4, os.ErrNotExist},
	}
	for _, tt := range tests {
		data, err := regular.ReadFile(tt.path, tt.flags, tt.limit)
		if !errors.Is(err, tt.err) || (err == nil) != (string(data) == "four") {
			t.Errorf("%s: %q, %v; want error %v", tt.name, data, err, tt.err)
		}
	}
}
