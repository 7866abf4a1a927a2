package boot_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/test/boot"
)

// anySignature is a value of security.ima by which a kernel that only measures reads a
// list at boot: it does not look at the signature.
var anySignature = map[string][]byte{"security.ima": []byte("\x03\x02\x04\xde\xad\xbe\xef\x00\x04sign")}

// bootLists boots a machine whose initramfs has files and lists for the kernel to load,
// and all files in them.
func bootLists(t *testing.T, kernel *boot.Kernel, files []boot.File, m boot.Machine) *loader {
	t.Helper()
	dir := boot.Folder(t)
	l := &loader{kernel: kernel, uploader: buildUploader(t, dir)}
	files = append(slices.Clip(files),
		boot.Program(program, l.uploader), boot.Program("/bin/pcr", build(t, dir, "./guest/pcr")),
		boot.Device("/dev/null", 1, 3), boot.Device("/dev/kmsg", 1, 11), boot.Device("/dev/tpm0", 10, 224))
	known := boot.Regular(lists+"/0-file_list-compact-image", imageList(t, files))
	parser := boot.Regular(lists+"/0-parser_list-compact-upload_digest_lists", parserList(t, l.uploader))
	known.Attributes, parser.Attributes = anySignature, anySignature
	l.lists = append(goodLists(t), known, parser)
	m.Kernel, m.Initrd = kernel, boot.Minimal(t, dir, append(files, l.lists...)...)
	m.Options = append(m.Options, "ima_hash=sha256")
	l.Guest = boot.Boot(t, dir, m)
	return l
}

// imageList is a list of the programs of an initramfs.
func imageList(t *testing.T, files []boot.File) []byte {
	t.Helper()
	contents := [][]byte{}
	for _, f := range files {
		if f.Content != nil {
			contents = append(contents, f.Content)
		}
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{busybox, "guest/init"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, content)
	}
	return digestList(t, compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}, contents...)
}

// modelCount is how many digests the model of the table has after an upload of lists.
func modelCount(t *testing.T, lists []boot.File) (count int) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range lists {
		write(t, dir, filepath.Base(f.Path), f.Content)
	}
	out, err := exec.Command("go", "run", "../../upload_digest_lists", "--emulate", filepath.Join(t.TempDir(), "table"), "add", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(out), "digests_count %d", &count); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return count
}

func (l *loader) count(t *testing.T) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(l.securityfs(t, "cat digests_count"), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The kernel loads the lists of the initramfs before the first program, with the uploader,
// and measures only them and what is in none.
func testLoadedByTheKernel(t *testing.T, kernel *boot.Kernel) {
	for _, register := range []string{"11", "+11"} {
		t.Run(register, func(t *testing.T) {
			l := bootLists(t, kernel, nil, boot.Machine{Options: []string{"ima_policy=exec_tcb", "ima_digest_list_pcr=" + register}})
			l.Wait(t, `upload_digest_lists: \d lists loaded from /etc/ima/digest_lists`)
			want := modelCount(t, l.lists)
			if got := l.count(t); got != want {
				t.Errorf("%d digests, want %d", got, want)
			}
			l.Must(t, unknownProgram)
			for _, r := range []int{10, 11} {
				if got, want := l.pcr(t, r), replay(l.measurements(t), r); got != want {
					t.Errorf("PCR %d is %s, the measurements give %s", r, got, want)
				}
			}
			l.testListed(t, register)
			l.testReloaded(t, want)
		})
	}
}

// A policy that leaves out the file system of the lists makes the uploader leave them
// alone: the kernel would take no lists any more, and it does with a policy that measures them.
func testLeftAlone(t *testing.T) {
	l := bootLoader(t, "ima_policy=tcb")
	l.Wait(t, `upload_digest_lists: error: .*does not measure lists on`)
	l.testLoaded(t)
	if console := l.Console(); strings.Contains(console, "disabling digest lists") {
		t.Error(console)
	}
}

// testListed looks at what the register of the lists has.
func (l *loader) testListed(t *testing.T, register string) {
	t.Helper()
	names := map[uint32][]string{}
	for _, e := range l.measurements(t) {
		names[uint32(e.PCR)] = append(names[uint32(e.PCR)], e.Name())
	}
	want := []string{"boot_aggregate", "/unknown"}
	for _, f := range l.lists {
		want = append(want, f.Path)
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(names[11]))
	if !slices.Equal(got, want) {
		t.Errorf("PCR 11 has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if whole := slices.Contains(names[10], "/bin/busybox"); whole != strings.HasPrefix(register, "+") {
		t.Errorf("PCR 10 has %q", names[10])
	}
}

// testReloaded loads the lists once more by hand, and unloads them. Those that the kernel has
// read itself were loaded twice when it booted: by the kernel, and by the uploader. That
// digests are left is said each time.
func (l *loader) testReloaded(t *testing.T, count int) {
	t.Helper()
	byKernel := slices.DeleteFunc(slices.Clone(l.lists), func(f boot.File) bool { return f.Attributes == nil })
	if out := l.Must(t, program+" add "+lists); out != "" {
		t.Errorf("add: %s", out)
	}
	before := count
	for _, after := range []int{count, modelCount(t, byKernel), 0} {
		want := "^$"
		if kept := count - (before - after); kept > 0 {
			want = fmt.Sprintf(`^upload_digest_lists: warning: at least %d digests were not forgotten, .*\n?$`, kept)
		}
		if out, code := l.Run(t, program+" del "+lists); code != 0 || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("del: exit %d: %s, want %s", code, out, want)
		}
		if got := l.count(t); got != after {
			t.Errorf("%d digests after del, want %d", got, after)
		}
		before = after
	}
}
