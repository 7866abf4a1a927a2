package bootloader

import (
	"slices"
	"strings"
	"testing"
)

// An entry that was made from another one says what was added, has it at the end of its
// options, and keeps the lines that are not about that.
func FuzzDerive(f *testing.F) {
	f.Add("title Debian\nversion 6.1\nlinux /vmlinuz\noptions root=/dev/vda1 ima_hash=sha1 quiet\n")
	f.Add("title\tx\noptions a\noptions b")
	f.Add("# digest lists: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		e := Entry{"log", []string{"ima_hash=sha256", "ima_appraise=log"}}
		made := derive(text, e)
		args, err := readRemark("entry", made)
		if err != nil || !slices.Equal(args, e.Args) {
			t.Fatalf("%q, %v", args, err)
		}
		var last string
		for line := range strings.Lines(made) {
			if key, value := cutKey(strings.TrimSuffix(line, "\n")); key == "options" {
				last = value
			}
		}
		if !strings.HasSuffix(" "+last, " ima_hash=sha256 ima_appraise=log") {
			t.Fatalf("options %q", last)
		}
		for line := range strings.Lines(text) {
			key, _ := cutKey(strings.TrimSuffix(line, "\n"))
			if !slices.Contains([]string{"title", "version", "options"}, key) && !strings.Contains(made, line) {
				t.Fatalf("%q is lost", line)
			}
		}
	})
}

// What grubby prints becomes items that each have a number.
func FuzzItems(f *testing.F) {
	f.Add("index=0\nkernel=\"/boot/vmlinuz\"\nargs=\"ro ima_hash=sha1 initramtmpfs\"\nroot=\"/dev/vda1\"\ntitle=\"x (digest lists, log)\"\nindex=1\nnon linux entry\n")
	f.Fuzz(func(t *testing.T, out string) {
		items := parseItems(out)
		if len(items) > strings.Count(out, "index=") {
			t.Fatalf("%d items", len(items))
		}
		for _, i := range items {
			if _, ok := i["index"]; !ok {
				t.Fatalf("%q has no number", i)
			}
			for _, a := range digestListArgs(i["args"]) {
				if !strings.Contains(out, a) {
					t.Fatalf("argument %q", a)
				}
			}
		}
	})
}
