package initramfs

import (
	"strings"
	"testing"

	"digestlists/internal/hosttest"
	"digestlists/internal/preflight"
	"digestlists/internal/xattr"

	"github.com/google/go-cmp/cmp"
)

const withDracut = `dracut --no-hostonly --no-kernel --kver 1.2.3 --modules "base digestlist" --no-early-microcode --quiet --force /boot/initramfs-1.2.3.img --compress `

// looked has what each maker makes an image with, where preflight looks for it.
var looked = map[string]string{
	"dracut":    withDracut + "gzip",
	"dracut10x": withDracut + "zstd",
	"initramfs-tools": `sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf && mkdir -p /lib/modules/1.2.3 &&
		echo CONFIG_RD_LZ4=y >/boot/config-1.2.3 && mkinitramfs -c lz4 -o /boot/initrd.img-1.2.3 1.2.3`,
}

// preflight looks into the images of the real makers: an image has all that is here, until
// something here changes.
func TestPreflightLooksInside(t *testing.T) {
	system := newSystem(t)
	for _, m := range makers(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			root := systemMachine(t, m.on(system)...)
			run(t, chroot(root, "/bin/sh", "-c", "rm -rf /boot/*; "+looked[m.name]))
			wantImage(t, root, "ok has the uploader, the certificates, the policy and the 10 lists that are here now, with their signatures")

			list := "/etc/ima/digest_lists/0-file_list-rpm-g256-1.2-3-x86_64"
			must(t, xattr.Set(root+list, "security.ima", []byte(signature+"er")))
			wantImage(t, root, "warning has no signatures of some lists, or older ones: without the signature of here: "+list[1:])
			hosttest.Shell(t, root, "echo more >>etc/ima/ima-policy; rm ."+list)
			wantImage(t, root, "warning is older than the system: another one in it: etc/ima/ima-policy; no longer here: "+list[1:])
		})
	}
}

// wantImage checks what preflight says of the image, after its name.
func wantImage(t *testing.T, root, want string) {
	t.Helper()
	var got []string
	for _, f := range preflight.Look(&preflight.Machine{Root: root, Dir: "/etc/ima/digest_lists", Cert: preflight.DefaultCert}) {
		if f.Check == "initramfs" {
			_, text, _ := strings.Cut(f.Text, " ")
			got = append(got, string(f.Verdict)+" "+text)
		}
	}
	if diff := cmp.Diff([]string{want}, got); diff != "" {
		t.Error(diff)
	}
}
