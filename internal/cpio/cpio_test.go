package cpio_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/cpio"
	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A member is what there is to know of one.
type member struct {
	Name    string
	Kind    uint32
	Links   uint32
	Content string
}

func members(archive io.Reader) (all []member, err error) {
	r := cpio.NewReader(archive)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		all = append(all, member{h.Name, h.Mode & unix.S_IFMT, h.Links, string(content)})
	}
}

// What GNU cpio writes, with and without checksums and with both forms of names.
func TestArchivesOfCpio(t *testing.T) {
	dir := t.TempDir()
	hosttest.Shell(t, dir, `mkdir -p tree/a; cd tree
		echo content >a/file; : >a/.empty; ln -s file a/link; ln a/file b; mkfifo fifo`)
	want := []member{
		{"", unix.S_IFDIR, 3, ""},
		{"a", unix.S_IFDIR, 2, ""},
		{"a/.empty", unix.S_IFREG, 1, ""},
		{"a/link", unix.S_IFLNK, 1, "file"},
		{"fifo", unix.S_IFIFO, 1, ""},
		{"a/file", unix.S_IFREG, 2, ""},
		{"b", unix.S_IFREG, 2, "content\n"},
	}
	for format, names := range map[string]string{
		"newc": ". a a/.empty a/link fifo a/file b",
		"crc":  "./ ./a ./a/.empty ./a/link ./fifo ./a/file ./b",
	} {
		hosttest.Shell(t, dir, "cd tree; printf '%s\n' "+names+" | cpio -o -H "+format+" --quiet >../archive")
		archive := hosttest.Read(t, filepath.Join(dir, "archive"))
		got, err := members(bytes.NewReader(archive))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", format, err, diff)
		}
		// Cut anywhere before its last member ends, it has no end.
		end := bytes.LastIndex(archive, []byte("TRAILER!!!")) + len("TRAILER!!!")
		for n := range end {
			if got, err := members(bytes.NewReader(archive[:n])); !errors.Is(err, compact.ErrTruncated) || got != nil {
				t.Fatalf("%s: %d bytes of it: %v, %v", format, n, got, err)
			}
		}
	}
}

// Damaged headers, each with the offset of its member.
func TestBad(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*")
	if err != nil || len(paths) == 0 {
		t.Fatal("no inputs")
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got, err := members(f); !errors.Is(err, compact.ErrMalformed) || !strings.Contains(err.Error(), "cpio: offset 116: ") || got != nil {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	paths, _ := filepath.Glob("testdata/bad/*")
	for _, path := range append(paths, "testdata/good") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := members(bytes.NewReader(data))
		if err != nil && all != nil {
			t.Fatal("members of a damaged archive")
		}
		size := 0
		for _, m := range all {
			size += 110 + len(m.Content)
		}
		if size > len(data) {
			t.Fatalf("%d bytes out of %d", size, len(data))
		}
	})
}
