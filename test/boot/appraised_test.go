package boot_test

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/internal/hosttest"
	"digestlists/test/boot"
)

// An authority signs certificates that a kernel takes into its keyring .ima: it has that of
// the authority built in.
type authority struct{ dir, file string }

// certify makes a key NAME.pem and its certificate NAME.der, which it returns.
func (a authority) certify(t *testing.T, name string) []byte {
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
	l := &loader{kernel: kernel, uploader: buildUploader(t, dir)}
	files := []boot.File{boot.Program(program, l.uploader), boot.Program("/listed", script("listed"))}
	image := boot.Regular(lists+"/0-file_list-compact-image", imageList(t, files))
	parser := boot.Regular(lists+"/0-parser_list-compact-upload_digest_lists", parserList(t, l.uploader))
	a := authority{dir, boot.Authority(t)}
	files = append(files,
		boot.Device("/dev/null", 1, 3), boot.Device("/dev/kmsg", 1, 11), boot.Regular("/etc/keys/x509_ima.der", a.certify(t, "first")),
		sign(t, dir, "first", image), sign(t, dir, "first", parser))
	l.Guest = boot.Boot(t, dir, boot.Machine{
		Kernel: kernel, Initrd: boot.Minimal(t, dir, append(files, laterLists(t, a)...)...),
		Options: append(appraisingBoot, "ima_appraise_digest_list="+mode),
	})
	l.runs(t, "/listed", true)
	for _, tt := range laterCases {
		t.Run(tt.name, func(t *testing.T) {
			out, code := l.Run(t, program+" add /"+tt.name)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("exit %d: %s", code, out)
			}
			l.runs(t, "/later/"+tt.name, tt.code == 0 && !tt.mutable)
			l.runs(t, "/listed", true)
		})
	}
	t.Run("stranger's certificate", func(t *testing.T) { testStrangersCertificate(t, l) })
}

// A certificate that is there and not in the kernel makes no list of its key good. The uploader
// does not let the kernel meet such a signature, of which Linux 5.10 dies.
func testStrangersCertificate(t *testing.T, l *loader) {
	l.Must(t, "cp /key-stranger/0-key_list-stranger.der /etc/keys/x509_ima.der")
	out, code := l.Run(t, program+" add /stranger")
	if code != 1 || !strings.Contains(out, "0-file_list-compact-stranger: signed by key ") {
		t.Errorf("exit %d: %s", code, out)
	}
	l.runs(t, "/later/stranger", false)
	l.runs(t, "/listed", true)
}

// laterCases are lists that are loaded after the boot, each in a folder and for a program of
// that name.
var laterCases = []struct {
	name string
	code int
	says string

	mutable bool // what it lists is not immutable
}{
	{"unsigned", 1, "0-file_list-compact-unsigned: ", false},
	{"stranger", 1, ": signed by key ", false},
	{"damaged", 1, "0-file_list-compact-damaged: ", false},
	{"mutable", 0, "", true},
	{"signed", 0, "", false},
	{"ascii", 0, "", true},
	{"ascii-unsigned", 1, "permission denied", true},
	{"key-stranger", 1, "add key to the IMA keyring: ", false},
	{"key", 0, "", false},
}

// laterLists are the files of laterCases.
func laterLists(t *testing.T, a authority) (files []boot.File) {
	t.Helper()
	second, stranger := a.certify(t, "second"), newStranger(t, a.dir)
	for _, tt := range laterCases {
		content := script(tt.name)
		block := compact.Block{Type: compact.TypeFile, Modifiers: compact.Immutable, Algorithm: compact.SHA256}
		key, name := "first", "0-file_list-compact-"+tt.name
		switch tt.name {
		case "stranger":
			key = "stranger"
		case "mutable":
			block.Modifiers = 0
		case "key":
			key = "second"
			files = append(files, boot.Regular("/key/0-key_list-second.der", second))
		case "key-stranger":
			key = "stranger"
			files = append(files, boot.Regular("/key-stranger/0-key_list-stranger.der", stranger))
		}
		list := boot.Regular("/"+tt.name+"/"+name, digestList(t, block, content))
		if strings.HasPrefix(tt.name, "ascii") {
			list = boot.Regular("/"+tt.name+"/0-file_list-ascii-"+tt.name, fmt.Appendf(nil, "%x  /later/%s\n", sha256.Sum256(content), tt.name))
		}
		if !strings.HasSuffix(tt.name, "unsigned") {
			list = sign(t, a.dir, key, list)
		}
		if tt.name == "damaged" {
			list.Content[len(list.Content)-1] ^= 1
		}
		files = append(files, list, boot.Program("/later/"+tt.name, content))
	}
	return files
}

// newStranger makes a key stranger.pem, of which the authority knows nothing.
func newStranger(t *testing.T, dir string) (certificate []byte) {
	t.Helper()
	hosttest.Run(t, dir, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger", "-keyout", "stranger.pem",
		"-outform", "DER", "-out", "stranger.der")
	return read(t, dir, "stranger.der")
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
