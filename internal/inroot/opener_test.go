package inroot_test

import (
	"errors"
	"io/fs"
	"testing"

	"digestlists/internal/inroot"
	"digestlists/internal/regular"

	"golang.org/x/sys/unix"
)

// An Opener goes through links of folders, and only through those.
func TestOpener(t *testing.T) {
	o := inroot.Opener{Root: tree(t)}
	defer o.Close()
	var want unix.Stat_t
	if err := unix.Stat(o.Root.Path("/var/lib/file"), &want); err != nil {
		t.Fatal(err)
	}
	for name, wantErr := range map[string]error{
		"/var/lib/file":  nil,
		"/absolute/file": nil,
		"/relative/file": nil,
		"/escape/passwd": fs.ErrNotExist,
		"/var/lib/link":  inroot.ErrLink,
		"/var/none/file": fs.ErrNotExist,
		"/fifo":          regular.ErrNotRegular,
		"/loop/file":     unix.ELOOP,
	} {
		file, err := o.Open(name)
		if !errors.Is(err, wantErr) || (err == nil) != (file != nil) {
			t.Errorf("%s: %v, want %v", name, err, wantErr)
		}
		if file != nil {
			file.Close()
		}
		fd, st, err := o.OpenFd(name)
		if !errors.Is(err, wantErr) || err == nil && st.Ino != want.Ino {
			t.Errorf("%s: %v, want %v", name, err, wantErr)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
}
