package boot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/test/boot"
)

// An authority signs certificates that a kernel takes into its keyring .ima: it has that of
// the authority built in.
type authority struct{ dir, file string }

// newAuthority takes the key and certificate of KERNEL_CA, a file in PEM. Without it nobody
// can make such certificates for a kernel that somebody else has built.
func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	file := os.Getenv("KERNEL_CA")
	if file == "" {
		t.Fatal("KERNEL_CA does not name a file with key and certificate that are built into the kernel")
	}
	return &authority{dir, file}
}

// certify makes a key NAME.pem and its certificate NAME.der, which it returns.
func (a *authority) certify(t *testing.T, name string) []byte {
	t.Helper()
	write(t, a.dir, "extensions", []byte("basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"))
	hosttest.Run(t, a.dir, "openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN="+name, "-keyout", name+".pem", "-out", "request")
	hosttest.Run(t, a.dir, "openssl", "x509", "-req", "-in", "request", "-CA", a.file, "-CAkey", a.file, "-set_serial", "1", "-days", "30",
		"-extfile", "extensions", "-outform", "DER", "-out", name+".der")
	return read(t, a.dir, name+".der")
}

// sign gives a file a signature with a key of the folder.
func sign(t *testing.T, dir, key string, f boot.File) boot.File {
	t.Helper()
	name := filepath.Base(f.Path)
	write(t, dir, name, f.Content)
	hosttest.Run(t, dir, "evmctl", "ima_sign", "--sigfile", "-a", "sha256", "-k", key+".pem", name)
	f.Attributes = map[string][]byte{"security.ima": read(t, dir, name+".sig")}
	return f
}

// What is in signed lists as immutable runs, and nothing else; lists that are not signed
// by a key that the kernel trusts are refused.
func testAppraised(t *testing.T, kernel *boot.Kernel) {
	for _, mode := range []string{"digest", "digest-nometadata"} {
		t.Run(mode, func(t *testing.T) { testAppraisedIn(t, kernel, mode) })
	}
}

func testAppraisedIn(t *testing.T, kernel *boot.Kernel, mode string) {
	dir := boot.Folder(t)
	uploader := buildUploader(t, dir)
	files := []boot.File{
		boot.Program(program, uploader), boot.Program("/listed", script("listed")), boot.Program("/later", script("later")),
		boot.Device("/dev/null", 1, 3), boot.Device("/dev/kmsg", 1, 11), boot.Program("/bin/setfattr", build(t, dir, "./guest/setfattr")),
	}
	image := boot.Regular(lists+"/0-file_list-compact-image", imageList(t, files[:2]))
	parser := boot.Regular(lists+"/0-parser_list-compact-upload_digest_lists", parserList(t, uploader))
	a := newAuthority(t, dir)
	files = append(files, boot.Regular("/etc/keys/x509_ima.der", a.certify(t, "first")))
	image, parser = sign(t, dir, "first", image), sign(t, dir, "first", parser)
	l := &loader{kernel: kernel, uploader: uploader}
	l.Guest = boot.Boot(t, dir, boot.Machine{Kernel: kernel, Initrd: boot.Minimal(t, dir, append(files, image, parser)...), Options: append(appraisingBoot, "ima_appraise_digest_list="+mode)})
	l.runs(t, "/listed", true)
	l.runs(t, "/later", false)
}

// script is a program that differs from others.
func script(name string) []byte { return []byte("#!/bin/busybox sh\necho " + name + "\n") }

// runs tries a program.
func (l *loader) runs(t *testing.T, path string, want bool) {
	t.Helper()
	out, code := l.Run(t, path)
	if got := code == 0; got != want || !want && (code != 126 || !strings.Contains(out, "Permission denied")) {
		t.Errorf("%s: exit %d: %s", path, code, out)
	}
}
