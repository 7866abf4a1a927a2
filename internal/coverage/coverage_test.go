package coverage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"digestlists/internal/hosttest"

	"github.com/google/go-cmp/cmp"
)

const lists = "/etc/ima/digest_lists"

// booted makes a system with a list of one file, of which the kernel has measured what
// the lines say: a name, and the content or "" for a violation.
func booted(t *testing.T, measured ...[2]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{
		"known": "known", "sys/kernel/security/ima/x": "", "proc/stat": "cpu 1\nbtime 1000\n", "etc/ima/x": "",
		"etc/ima/digest_lists/0-file_list-ascii-x": hosttest.Shell(t, root, "printf known | sha256sum | sed 's,-,/known,'"),
	} {
		write(t, root, name, content)
	}
	log := ""
	const zeros = "0000000000000000000000000000000000000000"
	for _, m := range measured {
		digest := hosttest.Shell(t, root, "printf %s '"+m[1]+"' | sha256sum | cut -c1-64 | tr -d '\\n'")
		if m[1] == "" {
			digest = zeros + zeros[:24]
		}
		template := zeros[:39] + "1"
		if m[1] == "" {
			template = zeros
		}
		log += fmt.Sprintf("10 %s ima-ng sha256:%s %s\n", template, digest, m[0])
	}
	write(t, root, "sys/kernel/security/ima/binary_runtime_measurements", log)
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMeasurements(t *testing.T) {
	root := booted(t,
		[2]string{"boot_aggregate", "x"},
		[2]string{lists + "/0-file_list-ascii-x", "a list"},
		[2]string{"/known", "known"},
		[2]string{"/copy", "known"}, // the same content, counted once
		[2]string{"/z", "unknown"},
		[2]string{"/a", ""}, [2]string{"/a", ""},
	)
	got, err := Measurements(root, lists)
	if err != nil {
		t.Fatal(err)
	}
	want := &Report{Measured: 3, Known: 1, Lists: 1, Unknown: []File{
		{"/a", "was written to while it was measured or open"},
		{"/z", "no list has sha256 " + hosttest.Shell(t, root, "printf unknown | sha256sum | cut -c1-64 | tr -d '\\n'")},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Percent() != 33 || got.Complete() {
		t.Errorf("%d%%, complete: %v", got.Percent(), got.Complete())
	}
	if none := (&Report{}); none.Percent() != 0 || !none.Complete() {
		t.Error("nothing measured")
	}
}

// What tells nothing is no licence.
func TestNoMeasurements(t *testing.T) {
	for name, change := range map[string]string{
		"none":  "rm sys/kernel/security/ima/binary_runtime_measurements",
		"empty": ": >sys/kernel/security/ima/binary_runtime_measurements",
	} {
		root := booted(t, [2]string{"/known", "known"})
		hosttest.Shell(t, root, change)
		if r, err := Measurements(root, lists); !errors.Is(err, ErrNoList) || r != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	root := booted(t, [2]string{"/known", "known"})
	hosttest.Shell(t, root, "echo 10 cut >>sys/kernel/security/ima/binary_runtime_measurements")
	if r, err := Measurements(root, lists); err == nil || errors.Is(err, ErrNoList) || r != nil {
		t.Errorf("damaged: %+v, %v", r, err)
	}
	hosttest.Shell(t, root, "rm -r etc/ima/digest_lists; echo x >etc/ima/digest_lists")
	if r, err := Measurements(root, lists); err == nil || r != nil {
		t.Errorf("no directory of lists: %+v", r)
	}
}
