package initramfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// setup_ima_digest_lists -a has the generator of the machine make the image of a kernel
// anew, with the list that was just made, by name and content.
func TestSetupRebuilds(t *testing.T) {
	system := newSystem(t)
	build := exec.Command("go", "build", "-o", filepath.Join(system, "usr/bin/setup_ima_digest_lists"), "../../setup_ima_digest_lists")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, build)
	write(t, filepath.Join(system, "usr/lib/modules/1.2.3/modules.dep"), "")
	write(t, filepath.Join(system, "etc/dracut.conf.d/test.conf"),
		`hostonly=no; no_kernel=yes; compress=cat; early_microcode=no; dracutmodules+=" base digestlist "`+"\n")
	write(t, filepath.Join(system, "opt/program"), "a program that no list knows")
	root := systemMachine(t, system)
	run(t, chroot(root, "/bin/sh", "-c", "rm /etc/ima/digest_lists/*")) // not all of them are lists

	out, err := chroot(root, "/usr/bin/setup_ima_digest_lists", "immutable", "-D", "/opt/program", "-a", "-V", "1.2.3").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	list := ""
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(line, "added "); ok {
			list = strings.TrimSpace(name)
		}
	}
	run(t, chroot(root, "/bin/sh", "-c", `mkdir /image && cd /image && cpio -idm --quiet </boot/initramfs-1.2.3.img || cpio -idm --quiet </boot/initrd.img-1.2.3`))
	name := filepath.Join("etc/ima/digest_lists", list)
	want, err := os.ReadFile(filepath.Join(root, name))
	must(t, err)
	got, err := os.ReadFile(filepath.Join(root, "image", name))
	must(t, err)
	if string(got) != string(want) || list == "" {
		t.Errorf("%s in the image: %q, want %q\n%s", name, got, want, out)
	}
}
