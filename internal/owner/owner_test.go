package owner_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/owner"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestIDs(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/passwd"), "# users\nroot:x:0:0:root:/root:/bin/sh\n\nnobody:x:65534:1:n:/:/bin/false\nroot:x:7:7::/:/x\n+::::::\nlast:x:4294967294:1::/:")
	group := write(t, filepath.Join(t.TempDir(), "g"), "root:x:0:\nmail:x:8:a,b\n")
	db, err := owner.Open(root, "", group)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		user, group string
		uid, gid    uint32
	}{{"root", "root", 0, 0}, {"nobody", "mail", 65534, 8}, {"last", "root", owner.MaxID, 0}} {
		uid, gid, err := db.IDs(tt.user, tt.group)
		if err != nil || uid != tt.uid || gid != tt.gid {
			t.Errorf("%s:%s is %d:%d, %v", tt.user, tt.group, uid, gid, err)
		}
	}
	// A root is found from the working directory, as the paths of all options are.
	t.Chdir(filepath.Dir(root))
	if _, err := owner.Open(filepath.Base(root), "", group); err != nil {
		t.Error(err)
	}
	for _, names := range [][2]string{{"nosuch", "root"}, {"root", "nosuch"}, {"", ""}, {"0", "0"}} {
		_, _, err := db.IDs(names[0], names[1])
		if !errors.Is(err, owner.ErrUnknown) {
			t.Errorf("%q: error %v, want %v", names, err, owner.ErrUnknown)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for content, want := range map[string]string{
		"root:x:0:0:::\nbroken\n":    "line 2",
		"a:x:-1:0:::\n":              `number "-1"`,
		"a:x:4294967296:0:::\n":      `number "4294967296"`,
		"a:x:4294967295:0:::\n":      `number "4294967295", want 0 to 4294967294`,
		"a:x::0:::\n":                `number ""`,
		":x:0:0:::\n":                "line 1",
		"root:x:0:0:::\r\na:x:1\r\n": "line 2",
	} {
		passwd := write(t, filepath.Join(t.TempDir(), "passwd"), content)
		_, err := owner.Open("", passwd, os.DevNull)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), passwd) {
			t.Errorf("%q: error %v, want %s and the file", content, err, want)
		}
	}
	if _, err := owner.Open(t.TempDir(), "", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a root without passwd: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/sh\n"))
	f.Add([]byte("mail:x:8:\n#\n+\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if db, err := owner.Open("", name, name); (db == nil) != (err != nil) {
			t.Fatalf("%v, %v", db, err)
		}
	})
}
