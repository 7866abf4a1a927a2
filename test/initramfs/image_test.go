// Package initramfs builds initramfs images with the real dracut and the real
// mkinitramfs, compares them with what was to go in, and runs their hooks.
//
// The images are built on the machine that runs the tests, with lists and the files
// that make installs on top of its own: see overlay.
package initramfs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"digestlists/internal/xattr"

	"github.com/google/go-cmp/cmp"
)

// A maker makes an initramfs. Its commands run in a machine and leave the image's
// files in /image.
type maker struct {
	name  string
	build string
	// early and root are the commands, in the image, that are run at boot.
	early, root string
	// hooks are files that must be there, with mode 0755.
	hooks []string
	// files is a folder with the maker itself, where this machine has another one.
	files string
}

// No kernel: its modules take most of the time, and none is needed here.
var dracut = maker{
	name: "dracut",
	build: `dracut --no-hostonly --no-kernel --kver 1.2.3 --modules "base digestlist" --strip --no-compress --no-early-microcode --quiet /img &&
		mkdir /image && cd /image && cpio -idm --quiet </img`,
	early: `. /lib/dracut-lib.sh; . /lib/dracut/hooks/cmdline/00-digestlists-early.sh; echo shell goes on`,
	root:  `. /lib/dracut-lib.sh; NEWROOT=/sysroot; . /lib/dracut/hooks/pre-pivot/90-digestlists-root.sh; echo shell goes on`,
	hooks: []string{
		"lib/dracut/hooks/cmdline/00-digestlists-early.sh",
		"lib/dracut/hooks/pre-pivot/90-digestlists-root.sh",
	},
}

var initramfsTools = maker{
	name: "initramfs-tools",
	build: `sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf && echo CONFIG_RD_GZIP=y >/boot/config-1.2.3 && mkdir -p /lib/modules/1.2.3 &&
		mkinitramfs -c gzip -o /img 1.2.3 && unmkinitramfs /img /image`,
	early: `. /scripts/functions; run_scripts /scripts/init-top; echo shell goes on`,
	root:  `. /scripts/functions; rootmnt=/sysroot; export rootmnt; run_scripts /scripts/init-bottom; echo shell goes on`,
	hooks: []string{
		"scripts/init-top/digestlists",
		"scripts/init-bottom/digestlists",
	},
}

// dracut10x is the series after dracut 059, which test/boot/dracut has unpacked.
func dracut10x(t *testing.T) maker {
	t.Helper()
	newer := dracut
	newer.name = "dracut10x"
	newer.files = "../../build/boot/dracut"
	// Nothing of the other one is to be seen.
	must(t, xattr.Set(filepath.Join(newer.files, "usr/lib/dracut"), "trusted.overlay.opaque", []byte("y")))
	return newer
}

func makers(t *testing.T) []maker { return []maker{dracut, dracut10x(t), initramfsTools} }

// What a list may carry. Values only have to have the right first bytes.
const (
	signature    = "\x03\x02\x04\xde\xad\xbe\xef\x00\x04sign"
	digest       = "\x04\x04an arbitrary digest of 32 bytes."
	portable     = "\x05\x02\x04\xde\xad\xbe\xef\x00\x04meta"
	boundToInode = "\x03\x02\x04\xde\xad\xbe\xef\x00\x04node"
)

// attributes of the files in the image, by path.
var attributes = map[string]map[string]string{
	"usr/bin/upload_digest_lists":                                         {"security.ima": digest},
	"etc/ima/digest_lists/0-file_list-rpm-g256-1.2-3-x86_64":              {"security.ima": signature, "security.evm": portable},
	"etc/ima/digest_lists/10-file_list-rpm-gsha512-0.1-1-x86_64":          {"security.ima": signature},
	"etc/ima/digest_lists/7-file_list-compact-a name \\of odd=characters": {"security.ima": signature},
}

// uploadedPaths are the files that go into an image as they are.
var uploadedPaths = []string{"usr/bin/upload_digest_lists", "etc/ima", "etc/keys"}

// newSystem makes what an administrator has installed: these tools with what they
// add to dracut and initramfs-tools, lists, keys and a policy.
func newSystem(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, exec.Command("make", "-s", "-C", "../..", "install-initramfs", "PREFIX=/usr", "DESTDIR="+dir))
	// With symbols, so that stripping would change it.
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "usr/bin/upload_digest_lists"), "../../upload_digest_lists")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, build)

	lists := filepath.Join(dir, "etc/ima/digest_lists")
	must(t, os.CopyFS(lists, os.DirFS("../inputs/mix")))
	must(t, os.Symlink("0-parser_list-compact-upload_digest_lists", filepath.Join(lists, "compact-upload_digest_lists")))
	write(t, filepath.Join(dir, "etc/ima/digest_lists.sig/2-file_list-ima+ima_ng-20200101_000000.sig"), signature)
	write(t, filepath.Join(dir, "etc/ima/digest_lists.conf"), "# none\n")
	write(t, filepath.Join(dir, "etc/ima/ima-policy"), "measure func=DIGEST_LIST_CHECK\n")
	write(t, filepath.Join(dir, "etc/keys/x509_ima.der"), "certificate")
	for path := range attributes {
		if file := filepath.Join(dir, path); !exists(file) {
			write(t, file, "a list")
		}
	}
	// The machine's own lists and keys, if it has any, are hidden.
	for _, hidden := range []string{"etc/ima", "etc/keys"} {
		must(t, xattr.Set(filepath.Join(dir, hidden), "trusted.overlay.opaque", []byte("y")))
	}
	return dir
}

// systemMachine returns a machine with the files of the system and of a maker, if it
// is not the machine's own. Attributes are included: cp leaves some out.
func systemMachine(t *testing.T, files ...string) string {
	t.Helper()
	root := machine(t, files...)
	setAttributes(t, root, attributes)
	setAttributes(t, root, map[string]map[string]string{
		"etc/ima/digest_lists/1-file_list-compact-one": {"security.evm": boundToInode},
	})
	return root
}

func setAttributes(t *testing.T, root string, all map[string]map[string]string) {
	t.Helper()
	for path, values := range all {
		for _, name := range []string{"security.ima", "security.evm"} {
			if value, ok := values[name]; ok {
				must(t, xattr.Set(filepath.Join(root, path), name, []byte(value)))
			}
		}
	}
}

// on returns the folders of files of a machine that has the maker.
func (m maker) on(system string) []string {
	if m.files == "" {
		return []string{system}
	}
	return []string{m.files, system}
}

// makeImage returns the files of an image made on a machine with the system's files.
func (m maker) makeImage(t *testing.T, system string) string {
	t.Helper()
	root := systemMachine(t, m.on(system)...)
	run(t, chroot(root, "/bin/sh", "-c", m.build))
	image := filepath.Join(t.TempDir(), "image")
	run(t, exec.Command("cp", "-a", filepath.Join(root, "image"), image))
	return image
}

// TestImages builds an image with each maker; the parts need it and share it.
func TestImages(t *testing.T) {
	system := newSystem(t)
	for _, m := range makers(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel() // building takes most of the time
			image := m.makeImage(t, system)
			t.Run("files", func(t *testing.T) { m.compareFiles(t, system, image) })
			t.Run("attributes", func(t *testing.T) { m.compareAttributes(t, image) })
			t.Run("boot", func(t *testing.T) { m.testBoot(t, image) })
			t.Run("root", func(t *testing.T) { m.testRoot(t, image) })
		})
	}
}

// A file as it is compared.
type file struct {
	Mode    fs.FileMode
	Content string // of a link: where to
}

// filesOf returns the files below some paths of a tree.
func filesOf(t *testing.T, root string, paths ...string) map[string]file {
	t.Helper()
	files := map[string]file{}
	for _, top := range paths {
		must(t, filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && path == filepath.Join(root, top) {
				return nil
			}
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			f := file{Mode: info.Mode()}
			if f.Mode&fs.ModeSymlink != 0 {
				f.Content, err = os.Readlink(path)
			} else {
				f.Content = read(t, path)
			}
			name, _ := filepath.Rel(root, path)
			files[name] = f
			return err
		}))
	}
	return files
}

func (m maker) compareFiles(t *testing.T, system, image string) {
	want, got := filesOf(t, system, uploadedPaths...), filesOf(t, image, uploadedPaths...)
	delete(got, "etc/ima/digest_lists.attributes") // compareAttributes
	const uploader = "usr/bin/upload_digest_lists"
	if got[uploader] != want[uploader] {
		t.Errorf("%s: %v, %d bytes; want the same %d bytes, %v", uploader,
			got[uploader].Mode, len(got[uploader].Content), len(want[uploader].Content), want[uploader].Mode)
	}
	delete(want, uploader)
	delete(got, uploader)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files that differ (-system +image):\n%s", diff)
	}
	for _, hook := range m.hooks {
		info, err := os.Stat(filepath.Join(image, hook))
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("hook %s: %v, %v", hook, info, err)
		}
	}
}

// compareAttributes restores what the archive has not carried, with the very hook
// of the image.
func (m maker) compareAttributes(t *testing.T, image string) {
	root := overlay(t, image)
	if got := attributesOf(t, root); len(got) != 0 {
		t.Fatalf("the archive has carried attributes, which this test takes for impossible: %v", got)
	}
	b := &boot{root: root, uploader: "exit 0"}
	b.run(t, m.early)
	if diff := cmp.Diff(attributes, b.attributes); diff != "" {
		t.Errorf("attributes at the time of the upload (-system +image):\n%s", diff)
	}
}

// attributesOf returns the security attributes of the lists and of the uploader.
func attributesOf(t *testing.T, root string) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for path := range filesOf(t, root, "etc/ima", "usr/bin/upload_digest_lists") {
		names, err := xattr.List(filepath.Join(root, path))
		must(t, err)
		for _, name := range names {
			if name != "security.ima" && name != "security.evm" {
				continue
			}
			value, err := xattr.Get(filepath.Join(root, path), name)
			must(t, err)
			if all[path] == nil {
				all[path] = map[string]string{}
			}
			all[path][name] = string(value)
		}
	}
	return all
}

// TestAttributesForArchive: a cpio that carries attributes finds them on the files
// that go into the image.
func TestAttributesForArchive(t *testing.T) {
	root := systemMachine(t, newSystem(t))
	run(t, chroot(root, "/bin/sh", "-c", `mkdir /image && . /usr/share/initramfs-tools/digestlists-build.sh && digestlists_collect "" /image`))
	if diff := cmp.Diff(attributes, attributesOf(t, filepath.Join(root, "image"))); diff != "" {
		t.Errorf("attributes in the image's files (-system +image):\n%s", diff)
	}
}

// TestNothingToLoad: where there are no lists, or nothing to load them, dracut is
// told that the module is of no use, and the hook of initramfs-tools adds nothing.
func TestNothingToLoad(t *testing.T) {
	system := newSystem(t)
	for name, change := range map[string]string{
		"no directory":     "rm -r /etc/ima/digest_lists",
		"empty directory":  "rm /etc/ima/digest_lists/*",
		"no list among it": "rm /etc/ima/digest_lists/*-*",
		"no uploader":      "rm /usr/bin/upload_digest_lists",
	} {
		t.Run(name, func(t *testing.T) {
			root := systemMachine(t, system)
			run(t, chroot(root, "/bin/sh", "-c", change))
			const check = "moddir=/usr/lib/dracut/modules.d/98digestlist; . $moddir/module-setup.sh; check && echo yes || echo no: $?"
			if got := run(t, chroot(root, "/bin/bash", "-c", check)); got != "no: 1\n" {
				t.Errorf("the module's check prints %q", got)
			}
			run(t, chroot(root, "/bin/sh", "-c", "mkdir /image && DESTDIR=/image sh /usr/share/initramfs-tools/hooks/digestlists"))
			if got := filesOf(t, root, "image"); len(got) != 0 {
				t.Errorf("the hook adds %v", got)
			}
		})
	}
}

// TestMissingTool: an image without the signatures would lock the machine up, so
// none is made, and the reason is said.
func TestMissingTool(t *testing.T) {
	system := newSystem(t)
	for _, m := range makers(t) {
		t.Run(m.name, func(t *testing.T) {
			root := systemMachine(t, m.on(system)...)
			must(t, os.Remove(filepath.Join(root, "usr/bin/setfattr")))
			out, err := chroot(root, "/bin/sh", "-c", m.build).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "setfattr (of the package attr) is not installed") {
				t.Errorf("built without setfattr: %v\n%s", err, out)
			}
		})
	}
}
