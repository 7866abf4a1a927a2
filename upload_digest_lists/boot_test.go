package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// earlyBoot runs the tool as a kernel without digest lists would start it: no
// environment, no open files, a root without /sys and /proc. It prints the exit
// status and what is left in the root.
const earlyBoot = `
set -eu
mount --make-rprivate /
mount -t tmpfs none "$1"
cd "$1"
mkdir -p usr/bin etc/ima/digest_lists dev
cp "$0" usr/bin/upload_digest_lists
mknod dev/null c 1 3
: >dev/kmsg
code=0
env -i "$(command -v chroot)" . /usr/bin/upload_digest_lists add /etc/ima/digest_lists <&- >&- 2>&- || code=$?
echo "$code"
ls
cat dev/kmsg
`

// There is one clear line in the kernel's log, and no trace elsewhere.
func testEarlyBoot(t *testing.T, bin string) {
	out, err := exec.Command("unshare", "-m", "sh", "-c", earlyBoot, bin, t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "4\ndev\netc\nusr\n<4>upload_digest_lists: error: this kernel has no digest lists: no /sys/kernel/security/ima/digest_list_data\n"
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// bootLog loads lists, some of them bad, without an environment, and prints what got
// to the kernel's log.
const bootLog = `
set -eu
mount --make-rprivate /
: >"$1/kmsg"
mount --bind "$1/kmsg" /dev/kmsg
env -i "$0" --securityfs "$1/sec" add "$1/lists" 2>"$1/stderr" || echo "$?"
cat "$1/kmsg"
`

// The kernel drops what a program logs in excess: the last line tells the result.
func testBootLog(t *testing.T, bin string) {
	dir := t.TempDir()
	for _, sub := range []string{"sec/ima", "lists"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\x01"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("sec/ima/digest_list_data")
	run := func() []string {
		t.Helper()
		out, err := exec.Command("unshare", "-m", "sh", "-c", bootLog, bin, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	if got, want := run(), "<6>upload_digest_lists: 0 lists loaded from "+dir+"/lists"; len(got) != 1 || got[0] != want {
		t.Errorf("without lists: %q", got)
	}
	for i := range 20 {
		put("lists/" + strings.Repeat("1", i+1)[:min(i+1, 9)] + "-file_list-compact-" + strings.Repeat("x", i+1))
	}
	got := run()
	if len(got) != 1+logLines+1 || got[0] != "1" {
		t.Fatalf("with 20 bad lists: %q", got)
	}
	for _, line := range got[1 : 1+logLines] {
		if !strings.HasPrefix(line, "<4>upload_digest_lists: error: 1") {
			t.Errorf("%q", line)
		}
	}
	if want := "<4>upload_digest_lists: error: 0 lists loaded from " + dir + "/lists, 20 problems"; got[1+logLines] != want {
		t.Errorf("last line %q, want %q", got[1+logLines], want)
	}
}
