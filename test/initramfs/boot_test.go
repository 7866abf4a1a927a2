package initramfs

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// A boot is a run of hooks in an image, with files in place of what a kernel has
// there, and a script in place of the uploader.
type boot struct {
	root     string
	cmdline  string
	uploader string // what it does, in shell, after noting its arguments

	kernelLog  string
	uploads    []string
	policy     string                       // that the kernel had at the time of the upload
	attributes map[string]map[string]string // afterwards
}

func (b *boot) path(name string) string { return filepath.Join(b.root, name) }

func (b *boot) run(t *testing.T, command string) {
	t.Helper()
	write(t, b.path("proc/cmdline"), "root=/dev/vda "+b.cmdline+" quiet\n")
	mkdir(t, b.path("sys/kernel/security/ima"))
	must(t, os.RemoveAll(b.path("dev")))
	write(t, b.path("dev/kmsg"), "")
	write(t, b.path("dev/null"), "")
	if b.uploader != "" {
		path := b.path("usr/bin/upload_digest_lists")
		// Written over, so that it keeps the attributes it may have.
		must(t, os.WriteFile(path, []byte("#!/bin/sh\necho \"$*\" >>/uploads\n"+
			"[ -f "+policyFile+" ] && read -r line <"+policyFile+" && echo \"$line\" >/policy\n"+b.uploader+"\n"), 0o755))
	}
	out := run(t, chroot(b.root, "/bin/sh", "-c", command))
	if !strings.HasSuffix(out, "shell goes on\n") {
		t.Errorf("the hook has ended the shell that runs it:\n%s", out)
	}
	b.kernelLog = read(t, b.path("dev/kmsg"))
	if log, err := os.ReadFile(b.path("uploads")); err == nil {
		b.uploads = strings.Split(strings.TrimSuffix(string(log), "\n"), "\n")
	}
	if policy, err := os.ReadFile(b.path("policy")); err == nil {
		b.policy = string(policy)
	}
	b.attributes = attributesOf(t, b.root)
}

const (
	directory = "add /etc/ima/digest_lists"
	tooMany   = `echo "upload_digest_lists: warning: first" >&2; echo "upload_digest_lists: error: 5-file_list-rpm: truncated" >&2; `
)

// bootCases are what may be found at boot, and the one line that is said of it.
var bootCases = map[string]struct {
	cmdline  string
	uploader string
	prepare  func(t *testing.T, b *boot)
	uploads  []string
	policy   string
	log      string
}{
	"all is well": {
		uploader: "exit 0",
		uploads:  []string{directory},
		log:      "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"switched off": {
		cmdline:  "rd.digestlists=0",
		uploader: "exit 0",
		log:      "<6>digestlists: switched off on the kernel command line, no lists are loaded\n",
	},
	"the last switch counts": {
		cmdline:  "rd.digestlists=0 rd.digestlists=1",
		uploader: "exit 0",
		uploads:  []string{directory},
		log:      "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"no digest lists in this kernel": {
		uploader: "exit 4",
		uploads:  []string{directory},
		log:      "<6>digestlists: this kernel has no digest lists, /etc/ima/digest_lists is not loaded\n",
	},
	"a bad list": {
		uploader: tooMany + "exit 1",
		uploads:  []string{directory},
		log:      "<4>digestlists: not all of /etc/ima/digest_lists is loaded: upload_digest_lists: error: 5-file_list-rpm: truncated\n",
	},
	"environment": {
		uploader: `echo "upload_digest_lists: error: no securityfs" >&2; exit 3`,
		uploads:  []string{directory},
		log:      "<4>digestlists: /etc/ima/digest_lists is not loaded, upload_digest_lists has exit code 3: upload_digest_lists: error: no securityfs\n",
	},
	"killed": {
		uploader: "kill -9 $$",
		uploads:  []string{directory},
		log:      "<4>digestlists: /etc/ima/digest_lists is not loaded, upload_digest_lists has exit code 137\n",
	},
	"no uploader": {
		prepare: func(t *testing.T, b *boot) { must(t, os.Remove(b.path("usr/bin/upload_digest_lists"))) },
		log:     "<4>digestlists: no lists are loaded: /usr/bin/upload_digest_lists is missing\n",
	},
	"neither uploader nor lists": {
		prepare: func(t *testing.T, b *boot) {
			must(t, os.Remove(b.path("usr/bin/upload_digest_lists")))
			must(t, os.RemoveAll(b.path("etc/ima/digest_lists")))
		},
	},
	"loaded by the kernel": {
		uploader: "exit 0",
		prepare: func(t *testing.T, b *boot) {
			setAttributes(t, b.root, attributes) // by a cpio that carries them
			write(t, b.path("sys/kernel/security/ima/digests_count"), "12\n")
		},
		log: "<6>digestlists: the kernel has loaded the lists itself\n",
	},
	"attributes carried but nothing loaded": {
		uploader: "exit 0",
		prepare: func(t *testing.T, b *boot) {
			setAttributes(t, b.root, attributes) // by a cpio that carries them
			write(t, b.path("sys/kernel/security/ima/digests_count"), "0\n")
		},
		uploads: []string{directory},
		log:     "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"loaded in part before there were attributes": {
		uploader: "exit 0",
		prepare:  func(t *testing.T, b *boot) { write(t, b.path("sys/kernel/security/ima/digests_count"), "12\n") },
		uploads:  []string{directory},
		log:      "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"attributes that cannot be restored": {
		uploader: "exit 0",
		prepare: func(t *testing.T, b *boot) {
			must(t, os.Remove(b.path("etc/ima/digest_lists/10-file_list-rpm-gsha512-0.1-1-x86_64")))
		},
		uploads: []string{directory},
		log: "<4>digestlists: security attributes of lists were not restored: " +
			"setfattr: etc/ima/digest_lists/10-file_list-rpm-gsha512-0.1-1-x86_64: No such file or directory\n" +
			"<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"nothing to restore": {
		uploader: "exit 0",
		prepare:  func(t *testing.T, b *boot) { must(t, os.Remove(b.path("etc/ima/digest_lists.attributes"))) },
		uploads:  []string{directory},
		log:      "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"a policy first": {
		uploader: "exit 0",
		prepare:  waitForPolicy,
		uploads:  []string{directory},
		policy:   "/etc/ima/ima-policy\n",
		log:      "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"a policy that systemd has loaded": {
		uploader: "exit 0",
		prepare: func(t *testing.T, b *boot) {
			waitForPolicy(t, b)
			mkdir(t, b.path("run/systemd/system"))
		},
		uploads: []string{directory},
		policy:  "none\n",
		log:     "<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
	"a policy that is refused": {
		uploader: "exit 0",
		prepare: func(t *testing.T, b *boot) {
			waitForPolicy(t, b)
			must(t, os.Remove(b.path(policyFile)))
			mkdir(t, b.path(policyFile))
		},
		uploads: []string{directory},
		log: "<4>digestlists: the kernel refuses the policy /etc/ima/ima-policy\n" +
			"<6>digestlists: the lists of /etc/ima/digest_lists are loaded\n",
	},
}

const policyFile = "/sys/kernel/security/ima/policy"

// waitForPolicy prepares a kernel that has digest lists and takes a policy.
func waitForPolicy(t *testing.T, b *boot) {
	t.Helper()
	write(t, b.path("sys/kernel/security/ima/digest_list_data"), "")
	write(t, b.path(policyFile), "none\n")
}

func (m maker) testBoot(t *testing.T, image string) {
	for name, c := range bootCases {
		t.Run(name, func(t *testing.T) {
			b := &boot{root: overlay(t, image), cmdline: c.cmdline, uploader: c.uploader}
			if c.prepare != nil {
				c.prepare(t, b)
			}
			b.run(t, m.early)
			if diff := gocmp.Diff(c.uploads, b.uploads); diff != "" {
				t.Errorf("uploads (-want +got):\n%s", diff)
			}
			if b.kernelLog != c.log {
				t.Errorf("kernel log:\n%swant:\n%s", b.kernelLog, c.log)
			}
			if b.policy != c.policy {
				t.Errorf("policy at the time of the upload: %q, want %q", b.policy, c.policy)
			}
		})
	}
}

// testRoot: of the lists of the real root, those that the image lacks are loaded,
// type by type; whatever comes of it, the boot goes on.
func (m maker) testRoot(t *testing.T, image string) {
	newLists := []string{
		"add /sysroot/etc/ima/digest_lists/0-key_list-new.der",
		"add /sysroot/etc/ima/digest_lists/9-parser_list-compact-new",
		"add /sysroot/etc/ima/digest_lists/0-file_list-rpm-new list",
	}
	const outOfDate = "<6>digestlists: 3 lists of the root file system are loaded that the initramfs does not have: it is out of date\n"
	for name, c := range map[string]struct {
		cmdline, uploader string
		otherKernel       bool
		count             string // digests loaded before; "" for 12
		uploads           []string
		log               string
	}{
		"new lists": {uploader: "exit 0", uploads: newLists, log: outOfDate},
		"nothing loaded from the image": {
			uploader: "exit 0", count: "0", uploads: []string{"root's: add /sysroot/etc/ima/digest_lists"},
			log: "<6>digestlists: the lists of /sysroot/etc/ima/digest_lists are loaded\n",
		},
		"switched off": {cmdline: "rd.digestlists=0", uploader: "exit 0"},
		"other kernel": {uploader: "exit 4", otherKernel: true},
		"one is broken": {
			uploader: `case $2 in *file_list*) echo "upload_digest_lists: error: bad" >&2; exit 1 ;; esac`, uploads: newLists,
			log: "<4>digestlists: not all of /sysroot/etc/ima/digest_lists/0-file_list-rpm-new list is loaded: upload_digest_lists: error: bad\n" +
				strings.Replace(outOfDate, "3 lists", "2 lists", 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &boot{root: overlay(t, image), cmdline: c.cmdline, uploader: c.uploader}
			lists := b.path("sysroot/etc/ima/digest_lists")
			must(t, os.CopyFS(lists, os.DirFS("../inputs/mix")))
			for _, upload := range newLists {
				write(t, b.path(strings.TrimPrefix(upload, "add ")), "new")
			}
			write(t, filepath.Join(lists, "0-file_list-rpm-new list.sig"), "no list")
			must(t, os.Symlink("9-parser_list-compact-new", filepath.Join(lists, "1-file_list-compact-link")))
			const uploader = "#!/bin/sh\necho \"root's: $*\" >>/uploads\n"
			write(t, b.path("sysroot/usr/bin/upload_digest_lists"), uploader)
			must(t, os.Chmod(b.path("sysroot/usr/bin/upload_digest_lists"), 0o755))
			if !c.otherKernel {
				write(t, b.path("sys/kernel/security/ima/digests_count"), cmp.Or(c.count, "12")+"\n")
				write(t, b.path("sys/kernel/security/ima/digest_list_data"), "")
			}
			b.run(t, m.root)
			if diff := gocmp.Diff(c.uploads, b.uploads); diff != "" {
				t.Errorf("uploads (-want +got):\n%s", diff)
			}
			if b.kernelLog != c.log {
				t.Errorf("kernel log:\n%swant:\n%s", b.kernelLog, c.log)
			}
		})
	}
}
