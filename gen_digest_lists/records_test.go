package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/owner"
)

// newReader returns a reader with two users, and where its warnings go.
func newReader(t testing.TB) (*recordReader, *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	passwd, group := filepath.Join(dir, "passwd"), filepath.Join(dir, "group")
	for name, content := range map[string]string{passwd: "root:x:0:0:::\ndaemon:x:1:1:::\n", group: "root:x:0:\nmail:x:8:\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var warnings strings.Builder
	return &recordReader{
		algorithm: compact.SHA256,
		owners:    func() (*owner.DB, error) { return owner.Open("", passwd, group) },
		warn:      func(format string, args ...any) { fmt.Fprintf(&warnings, format+"\n", args...) },
	}, &warnings
}

func readRecords(t testing.TB, content string) ([]record, string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "records")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	r, warnings := newReader(t)
	records, err := r.read(file)
	if err != nil && !strings.HasPrefix(err.Error(), file+": ") {
		t.Errorf("error %q does not start with the file", err)
	}
	return records, warnings.String(), err
}

func TestRecords(t *testing.T) {
	path := "path=/etc/passwd"
	digest := strings.Repeat("ab", 64)
	records, warnings, err := readRecords(t, strings.Join([]string{
		path + "|mode=33261|uname=daemon|gname=mail|caps=cap_setuid=ep|obj_label=u:r:t:s0",
		path,
		path + "|digestalgo=6",
		"digest=" + digest + "|digestalgopgp=10|uid=4294967294|gid=0|uname=nosuch|gname=nosuch|mode=33152|" + path,
		path,
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 4 || !strings.Contains(warnings, "line 3: left out") {
		t.Fatalf("%d records, warnings %q", len(records), warnings)
	}
	first, last := records[0], records[2]
	if *first.uid != 1 || *first.gid != 8 || *first.caps != "cap_setuid=ep" || *first.label != "u:r:t:s0" || first.digest != nil {
		t.Errorf("%+v", first)
	}
	if *last.uid != 1<<32-2 || *last.gid != 0 || last.algorithm != compact.SHA512 || len(last.digest) != 64 {
		t.Errorf("%+v", last)
	}
	for i, mode := range []uint16{0o100755, 0o100755, 0o100600, 0o100600} {
		if got := *records[i].mode; got != mode {
			t.Errorf("record %d: mode %o, want %o", i, got, mode)
		}
	}
}

func TestBadRecords(t *testing.T) {
	path := "path=/etc/passwd"
	for content, want := range map[string]string{
		"":                                "no records",
		"\n":                              `line 1: field ""`,
		path + "\n" + path + "|mode\n":    `line 2: field "mode"`,
		path + "|mode=\n":                 `field "mode="`,
		path + "|uid=1|uid=2\n":           "second uid=",
		path + "|colour=red\n":            "unknown field",
		path + "|mode=0644\n":             "decimal",
		path + "|mode=65536\n":            "at most 65535",
		path + "|mode=420\n":              "regular file",
		path + "|mode=16877\n":            "regular file",
		path + "|uid=-1\n":                "decimal",
		path + "|gid=4294967295\n":        "at most 4294967294",
		path + "|uname=nosuch\n":          `unknown user "nosuch"`,
		path + "|gname=nosuch\n":          `unknown group "nosuch"`,
		path + "|caps=cap_nosuch=p\n":     "unknown capability",
		path + "|obj_label=label\n":       "bad label",
		path + "|digest=abc\n":            "hex",
		path + "|digest=abcd\n":           "2 bytes, want 32 for sha256",
		path + "|digestalgo=99\n":         "unsupported algorithm",
		path + "|digestalgopgp=4\n":       "unsupported algorithm",
		"mode=33188\n":                    "no path=",
		"path=/etc\n":                     "not a regular file",
		"path=/nonexistent\n":             "no such file",
		path + "\r\n":                     "no such file",
		path + "|digestalgopgp=10\r\n":    "decimal",
		path + "|digest=" + "zz" + "\n":   "digest=",
		path + "|mode=33188 |uid=0\n":     "decimal",
		path + "||uid=0\n":                `field ""`,
		path + "|obj_label=u:r:t:s0 x\n":  "bad label",
		path + "|digestalgo=4294967300\n": "at most 65535",
	} {
		records, _, err := readRecords(t, content)
		if records != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", content, err, want)
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add("path=/etc/passwd|digestalgopgp=8|digest=" + strings.Repeat("00", 32) + "|mode=33188|uname=daemon|gname=mail|caps=cap_setuid=ep|obj_label=u:r:t:s0")
	f.Add("path=/etc/passwd|uid=5|gid=6|mode=33261")
	f.Add("path=/etc/passwd|digestalgo=6")
	reader, _ := newReader(f)
	f.Fuzz(func(t *testing.T, line string) {
		reader.mode = nil
		rec, err := reader.parse(line)
		if err == nil && (rec.path == "" || rec.digest != nil && len(rec.digest) != rec.algorithm.Size()) {
			t.Fatalf("%q: %+v", line, rec)
		}
	})
}
