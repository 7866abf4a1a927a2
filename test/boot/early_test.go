package boot_test

import (
	"strings"
	"testing"
)

// asKernel is the uploader as the kernel starts it: no environment, no open file.
func asKernel(path string) string {
	return "env -i " + program + " add " + path + " <&- >&- 2>&-"
}

// A line that a kernel without digest lists makes the uploader print.
const says = "this kernel has no digest lists: no /sys/kernel/security/ima/digest_list_data"

// Each of these is a machine that goes on booting after one clear line.
var starts = []struct {
	name          string
	before, after string // commands
	path          string
	code          int
	withExtension int // code
}{
	{
		name: "nothing is mounted",
		path: lists, code: 4,
	},
	{
		name:   "sysfs is mounted",
		before: "mount -t sysfs sysfs /sys", after: "umount /sys",
		path: lists, code: 4,
	},
	{
		name:   "all is mounted",
		before: "mount -t sysfs sysfs /sys && mount -t securityfs securityfs /sys/kernel/security",
		after:  "umount /sys/kernel/security && umount /sys",
		path:   lists, code: 4,
	},
	{
		name: "a corrupt list",
		path: "/corrupt", code: 4, withExtension: 1,
	},
	{
		name:   "an empty folder",
		before: "mkdir /empty", after: "rmdir /empty",
		path: "/empty", code: 4,
	},
	{
		name: "no folder",
		path: "/none", code: 4, withExtension: 3,
	},
	{
		name:   "no /sys",
		before: "rmdir /sys", after: "mkdir /sys",
		path: lists, code: 4,
	},
}

// The kernel runs the uploader before init, when nothing is mounted, and boots on
// whatever its exit code is. What it mounts it has to unmount, and nothing else:
// init could not mount it where it belongs.
func TestEarly(t *testing.T) {
	for _, root := range []string{"tmpfs", "ramfs"} {
		t.Run(root, func(t *testing.T) {
			l := bootLoader(t, "rootfstype="+root)
			if got := l.Must(t, "stat -f -c %T /"); got != root+"\n" {
				t.Fatalf("the root is on %s", got)
			}
			for _, s := range starts {
				t.Run(s.name, func(t *testing.T) {
					code := s.code
					if l.kernel.DigestLists {
						code = s.withExtension
					}
					if s.before != "" {
						l.Must(t, s.before)
						defer l.Must(t, s.after)
					}
					mounts := l.mounts(t)

					said, got := l.onConsole(t, asKernel(s.path), "upload_digest_lists: ")
					if got != code {
						t.Errorf("exit %d, want %d: %q", got, code, said)
					}
					if !l.kernel.DigestLists && (len(said) != 1 || !strings.Contains(said[0], says)) {
						t.Errorf("the console shows %q, want one line with %q", said, says)
					}
					stderr, got := l.Run(t, "env -i "+program+" add "+s.path+" 2>&1 >/dev/kmsg </dev/null")
					if got != code || !l.kernel.DigestLists && strings.Count(stderr, "\n") != 1 {
						t.Errorf("exit %d and %q, want %d and one line", got, stderr, code)
					}
					if now := l.mounts(t); now != mounts {
						t.Errorf("mounted before:\n%s\nand after:\n%s", mounts, now)
					}
				})
			}
		})
	}
}
