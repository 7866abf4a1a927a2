package boot_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"digestlists/internal/xattr"
	"digestlists/test/boot"

	"github.com/google/go-cmp/cmp"
)

// attributes of lists that an image has to carry to the uploader. Values only need
// the right first bytes.
var attributes = map[string]map[string]string{
	"0-parser_list-compact-upload_digest_lists": {"security.ima": "\x03\x02\x04\xde\xad\xbe\xef\x00\x04sign"},
	"1-file_list-compact-one":                   {"security.ima": "\x03\x02\x04\xde\xad\xbe\xef\x00\x04also", "security.evm": "\x05\x02\x04\xde\xad\xbe\xef\x00\x04meta"},
	"10-file_list-rpm-gsha512-0.1-1-x86_64":     {"security.ima": "\x04\x04an arbitrary digest of 32 bytes."},
}

const (
	noDigestLists = `this kernel has no digest lists, /etc/ima/digest_lists is not loaded`
	// With root= on the kernel's command line, an initramfs is on ramfs.
	withRoot = "root=/dev/vda"
)

// Each of these goes on booting, whatever was done to the image. What the same code
// does in all images is tried with one or two of them.
var imageCases = []struct {
	name    string
	option  string
	before  string   // in shell, before init
	exit    string   // of the uploader where the kernel runs it
	hooks   []string // patterns: what is on the console of the hooks
	carried bool     // the attributes
	makers  string
}{
	{
		name: "root on tmpfs", before: rootInImage, exit: "4",
		hooks: []string{noDigestLists}, carried: true,
		makers: "dracut dracut-systemd dracut10x dracut10x-systemd initramfs-tools",
	},
	{
		name: "root on ramfs and a corrupt list", option: withRoot, before: "echo >>" + lists + "/1-file_list-compact-one", exit: "4",
		hooks:  []string{`security attributes of lists were not restored: .*not supported`, noDigestLists},
		makers: "dracut dracut-systemd dracut10x dracut10x-systemd initramfs-tools",
	},
	{
		name: "no lists", option: withRoot, before: "rm -r " + lists, exit: "4",
		hooks:  []string{`security attributes of lists were not restored: .*No such file`, noDigestLists},
		makers: "initramfs-tools",
	},
	{
		name: "no uploader", option: withRoot, before: "rm " + program, exit: "127",
		hooks:  []string{`no lists are loaded: /usr/bin/upload_digest_lists is missing`},
		makers: "dracut initramfs-tools",
	},
	{
		name: "switched off", option: withRoot + " rd.digestlists=0", exit: "4",
		hooks:  []string{`switched off on the kernel command line, no lists are loaded`},
		makers: "dracut initramfs-tools",
	},
}

// rootInImage names the root file system in the image, for each kind of it.
const rootInImage = `
if [ -d /conf ]; then
	echo ROOT=/dev/vda >/conf/conf.d/root
else
	mkdir -p /etc/cmdline.d
	echo root=/dev/vda >/etc/cmdline.d/root.conf
fi
if [ -d /usr/lib/systemd/system ]; then
	mkdir -p /etc/systemd/system/initrd-root-fs.target.requires
	printf '[Mount]\nWhat=/dev/vda\nWhere=/sysroot\n' >/etc/systemd/system/sysroot.mount
	ln -s ../sysroot.mount /etc/systemd/system/initrd-root-fs.target.requires
fi
`

// kernelStarts runs the uploader as the kernel does, and probe is what prints the
// attributes at the end of the initramfs.
const kernelStarts = `
env -i /usr/bin/upload_digest_lists add /etc/ima/digest_lists <&- >&- 2>&-
echo "before init: exit $?" >/guest/kmsg
cat >/guest/probe <<'END'
#!/guest/sh
getfattr -R -h -d -m '^security\.' -e hex /etc/ima/digest_lists 2>/dev/null | while read -r line; do
	echo "probe: $line" >/dev/kmsg
done
echo "probe: end" >/dev/kmsg
END
chmod 755 /guest/probe
if [ -d /conf ]; then
	echo /guest/probe >>/scripts/init-bottom/ORDER
else
	echo /guest/probe >/usr/lib/dracut/hooks/pre-pivot/99-probe.sh
fi
`

// TestImages boots images of each maker, in the state in which they were made and
// damaged. All come to the root file system.
func TestImages(t *testing.T) {
	kernel, err := boot.FindKernel()
	if err != nil {
		t.Fatal(err)
	}
	dir := boot.Folder(t)
	system := newSystem(t, dir)
	disk := boot.Disk(t, dir)
	for _, maker := range []string{"dracut", "dracut-systemd", "dracut10x", "dracut10x-systemd", "initramfs-tools"} {
		t.Run(maker, func(t *testing.T) {
			t.Parallel()
			dir := boot.Folder(t)
			image := filepath.Join(dir, "image")
			build := exec.Command("unshare", "--mount", "./image", maker, system, kernel.Modules, kernel.Version, image)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, c := range imageCases {
				if !slices.Contains(strings.Fields(c.makers), maker) {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					dir := boot.Folder(t)
					g := boot.Boot(t, dir, boot.Machine{
						Kernel: kernel, Disk: disk, Initrd: boot.Probed(t, dir, image, c.before+kernelStarts),
						Options: []string{boot.ProbedOption, "rw", "printk.devkmsg=on", c.option},
					})
					g.Wait(t, "probe: end")
					console := g.Console()
					if got := g.Wait(t, "before init: exit"); !kernel.DigestLists && !strings.HasSuffix(got, "exit "+c.exit) {
						t.Errorf("as the kernel starts it: %q, want exit %s", got, c.exit)
					}
					if got, want := probed(console), wantAttributes(c.carried); !cmp.Equal(got, want) {
						t.Errorf("attributes (-want +got):\n%s", cmp.Diff(want, got))
					}
					if !kernel.DigestLists {
						checkLines(t, linesOf(console, "digestlists: "), c.hooks)
					}
				})
			}
		})
	}
}

// newSystem makes the tree of a system on which the tools are installed.
func newSystem(t *testing.T, dir string) string {
	t.Helper()
	system := filepath.Join(dir, "system")
	install := exec.Command("make", "-s", "-C", "../..", "install-initramfs", "PREFIX=/usr", "DESTDIR="+system)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	uploader := buildUploader(t, dir)
	for _, f := range append(goodLists(t), boot.Program(program, uploader),
		boot.Regular(lists+"/0-parser_list-compact-upload_digest_lists", parserList(t, uploader))) {
		path := filepath.Join(system, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Content, os.FileMode(f.Mode).Perm()); err != nil {
			t.Fatal(err)
		}
		for name, value := range attributes[filepath.Base(path)] {
			if err := xattr.Set(path, name, []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return system
}

// linesOf returns what follows a word in the lines of a console that have it.
func linesOf(console, word string) (lines []string) {
	for line := range strings.Lines(console) {
		if _, rest, ok := strings.Cut(line, word); ok {
			lines = append(lines, strings.TrimSuffix(rest, "\n"))
		}
	}
	return lines
}

// probed returns the attributes that the probe has printed.
func probed(console string) map[string]map[string]string {
	all := map[string]map[string]string{}
	file := ""
	for _, line := range linesOf(console, "probe: ") {
		if path, ok := strings.CutPrefix(line, "# file: "); ok {
			file = filepath.Base(path)
			all[file] = map[string]string{}
		} else if name, value, ok := strings.Cut(line, "=0x"); ok {
			all[file][name] = value
		}
	}
	return all
}

func wantAttributes(carried bool) map[string]map[string]string {
	all := map[string]map[string]string{}
	if !carried {
		return all
	}
	for file, values := range attributes {
		all[file] = map[string]string{}
		for name, value := range values {
			all[file][name] = fmt.Sprintf("%x", value)
		}
	}
	return all
}

func checkLines(t *testing.T, lines, patterns []string) {
	t.Helper()
	ok := len(lines) == len(patterns)
	for i := 0; ok && i < len(lines); i++ {
		ok = regexp.MustCompile(patterns[i]).MatchString(lines[i])
	}
	if !ok {
		t.Errorf("the console shows\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(patterns, "\n"))
	}
}
