package boot_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/test/boot"
)

// Where the kernel looks for the uploader and the lists.
const (
	program = "/usr/bin/upload_digest_lists"
	lists   = "/etc/ima/digest_lists"
)

// A loader is a guest with an uploader and lists, and a policy that measures
// whatever root runs or reads.
type loader struct {
	*boot.Guest
	kernel   *boot.Kernel
	uploader []byte
	lists    []boot.File // of bootLists
	fences   int
}

func bootLoader(t *testing.T, options ...string) *loader {
	t.Helper()
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	dir := boot.Folder(t)
	l := &loader{kernel: kernel, uploader: buildUploader(t, dir)}
	policy := "measure func=BPRM_CHECK\nmeasure func=FILE_CHECK mask=MAY_READ uid=0\n"
	if kernel.DigestLists {
		policy += "measure func=DIGEST_LIST_CHECK\n"
		options = append(options, "ima_digest_list_pcr=11")
	}
	files := append(goodLists(t),
		boot.Program(program, l.uploader),
		boot.Device("/dev/null", 1, 3), // Go's runtime needs it where no file is open
		boot.Device("/dev/kmsg", 1, 11),
		boot.Device("/dev/tpm0", 10, 224),
		boot.Program("/bin/pcr", build(t, dir, "./guest/pcr")),
		boot.Regular("/policy", []byte(policy)),
		boot.Regular(lists+"/0-parser_list-compact-upload_digest_lists", parserList(t, l.uploader)),
		boot.Regular("/corrupt/1-file_list-compact-trailing", input(t, "bad/compact-trailing")),
		boot.Regular("/corrupt/2-file_list-rpm-g256-1.2-3-x86_64", input(t, "mix/0-file_list-rpm-g256-1.2-3-x86_64")),
	)
	l.Guest = boot.Boot(t, dir, boot.Machine{Kernel: kernel, Initrd: boot.Minimal(t, dir, files...), Options: options})
	l.Must(t, "mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security")
	l.Must(t, "cat /policy >/sys/kernel/security/ima/policy")
	l.Must(t, "umount /sys/kernel/security && umount /sys")
	return l
}

// input returns the content of a file of test/inputs.
func input(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../inputs", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// goodLists are lists of each format that no signature is needed for.
func goodLists(t *testing.T) (files []boot.File) {
	t.Helper()
	for _, name := range []string{
		"1-file_list-compact-one", "2-file_list-ima+ima_ng-20200101_000000", "10-file_list-rpm-gsha512-0.1-1-x86_64",
	} {
		files = append(files, boot.Regular(lists+"/"+name, input(t, "mix/"+name)))
	}
	return files
}

// buildUploader builds the uploader as make does.
func buildUploader(t *testing.T, dir string) []byte {
	t.Helper()
	return build(t, dir, "../../upload_digest_lists")
}

// build builds a program of a folder as make does.
func build(t *testing.T, dir, source string) []byte {
	t.Helper()
	file := filepath.Join(dir, filepath.Base(source))
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// parserList is the list that makes a program one that may upload data.
func parserList(t *testing.T, program []byte) []byte {
	t.Helper()
	return digestList(t, compact.Block{Type: compact.TypeParser, Modifiers: compact.Immutable, Algorithm: compact.SHA256}, program)
}

// digestList is a list of the SHA-256 digests of contents.
func digestList(t *testing.T, block compact.Block, contents ...[]byte) []byte {
	t.Helper()
	var list bytes.Buffer
	w := compact.NewWriter(&list)
	for _, content := range contents {
		sum := sha256.Sum256(content)
		if err := w.Add(block, sum[:]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return list.Bytes()
}

// mounts returns what is mounted, in a guest that has no /proc otherwise.
func (l *loader) mounts(t *testing.T) string {
	t.Helper()
	return l.Must(t, "mount -t proc proc /proc && grep -v ^proc /proc/mounts && umount /proc")
}

// onConsole runs a command and returns the lines with a word that appear on the
// console meanwhile.
func (l *loader) onConsole(t *testing.T, command, word string) (lines []string, code int) {
	t.Helper()
	from := l.fence(t)
	_, code = l.Run(t, command)
	to := l.fence(t)
	_, text, _ := strings.Cut(l.Console(), from)
	text, _, _ = strings.Cut(text, to)
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			lines = append(lines, line)
		}
	}
	return lines, code
}

// fence prints a line on the console and waits until it is there.
func (l *loader) fence(t *testing.T) string {
	t.Helper()
	l.fences++
	fence := fmt.Sprintf("fence %d.", l.fences)
	l.Must(t, "echo "+fence+" >/dev/kmsg")
	l.Wait(t, fence)
	return fence
}
