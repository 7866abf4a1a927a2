package boot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"digestlists/compact"
	"digestlists/parsers/imalog"
)

// With a policy that measures whatever root runs or reads, the uploader and the
// lists that it opens are measured, as the kernel demands of a parser, and nothing
// else is: one file more, and the kernel takes no list until the next boot.
func TestMeasured(t *testing.T) {
	l := bootLoader(t)
	// The data file is a stand-in, so that all of the work is done on any kernel.
	// Copies were measured by no one yet; what cat reads marks the start and the end.
	l.Must(t, "mkdir -p /standin/ima /copy && : >/standin/ima/digest_list_data")
	l.Must(t, "cp "+program+" /copy/uploader && cp -r "+lists+" /copy/lists")
	l.Must(t, "echo >/start && echo >/end")
	l.Must(t, "cat /start")
	if out, code := l.Run(t, "env -i /copy/uploader --securityfs /standin add /copy/lists"); code != 0 || out != "" {
		t.Fatalf("exit %d: %s", code, out)
	}
	l.Must(t, "cat /end")
	entries := l.measurements(t)

	var got []string
	started := false
	for _, e := range entries {
		switch e.Name() {
		case "/start":
			started = true
		case "/end":
			started = false
		default:
			if started {
				got = append(got, e.Name())
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"/copy/lists/0-parser_list-compact-upload_digest_lists", "/copy/lists/1-file_list-compact-one",
		"/copy/lists/10-file_list-rpm-gsha512-0.1-1-x86_64", "/copy/lists/2-file_list-ima+ima_ng-20200101_000000",
		"/copy/uploader",
	}
	if !slices.Equal(got, want) {
		t.Errorf("measured\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	t.Run("digest", func(t *testing.T) {
		i := slices.IndexFunc(entries, func(e *imalog.Measurement) bool { return e.Name() == "/copy/uploader" })
		if i < 0 {
			t.Fatal("the uploader was not measured")
		}
		algorithm, digest, err := entries[i].FileDigest()
		if want := sha256.Sum256(l.uploader); err != nil || algorithm != compact.SHA256 || !bytes.Equal(digest, want[:]) {
			t.Errorf("%v:%x, %v, want %x", algorithm, digest, err, want)
		}
	})
	t.Run("TPM", func(t *testing.T) {
		register := 10
		if l.kernel.DigestLists {
			register = 11
		}
		if got, want := l.pcr(t, register), replay(l.measurements(t), register); got != want {
			t.Errorf("PCR %d is %s, the measurements give %s", register, got, want)
		}
	})
	if l.kernel.DigestLists {
		t.Run("loaded", func(t *testing.T) { l.testLoaded(t) })
	}
}

// testLoaded is for kernels with digest lists, see boot.FindKernel.
func (l *loader) testLoaded(t *testing.T) {
	count := func() (n int) {
		fmt.Sscan(l.securityfs(t, "cat digests_count"), &n)
		return n
	}
	before := count()
	l.Must(t, "env -i "+program+" add "+lists)
	if after := count(); after <= before {
		t.Errorf("%d digests before, %d after", before, after)
	}
}

// securityfs runs a command in the folder of IMA.
func (l *loader) securityfs(t *testing.T, command string) string {
	t.Helper()
	const root = "/sys/kernel/security"
	l.Must(t, "mount -t sysfs sysfs /sys && mount -t securityfs securityfs "+root)
	defer l.Must(t, "umount "+root+" && umount /sys")
	return l.Must(t, "cd "+root+"/ima && "+command)
}

// measurements reads the guest's measurement list. Reading it is measured, too, but
// only once.
func (l *loader) measurements(t *testing.T) (entries []*imalog.Measurement) {
	t.Helper()
	binary, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(
		l.securityfs(t, "cat binary_runtime_measurements >/dev/null; base64 binary_runtime_measurements"), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	for r := imalog.NewReader(bytes.NewReader(binary)); ; {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e.Clone())
	}
}

// pcr returns a register of the SHA-256 bank as the guest's TPM has it.
func (l *loader) pcr(t *testing.T, register int) string {
	t.Helper()
	return strings.TrimSpace(l.Must(t, fmt.Sprint("/bin/pcr ", register)))
}

// replay returns what measurements make of a register in the SHA-256 bank. A violation
// extends with ones. Source: ima_add_template_entry() of the kernel.
func replay(entries []*imalog.Measurement, register int) string {
	var pcr [sha256.Size]byte
	for _, e := range entries {
		digest := sha256.Sum256(e.Data)
		if e.Violation() {
			digest = [sha256.Size]byte(bytes.Repeat([]byte{0xff}, sha256.Size))
		}
		if int(e.PCR) == register {
			pcr = sha256.Sum256(append(pcr[:], digest[:]...))
		}
	}
	return fmt.Sprintf("%x", pcr)
}
