package preflight

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/compact"
	"digestlists/internal/bootloader"
	"digestlists/internal/initramfs"
	"digestlists/internal/securityfs"
)

// images looks into what the next boot would load.
func images(m *Machine) []Finding {
	menu, err := readMenu(m.root())
	findings := menu.absent(m)
	if err != nil {
		findings = append(findings, m.unread("/boot", err, "which images the boot menu has is not known")...)
	}
	paths := initramfs.Images(m.root())
	if len(paths) == 0 && len(findings) == 0 {
		return amiss(Warning, "no initramfs was found", "lists are loaded when the root file system is there, or not at all", rebuildCommand(m))
	}
	want, err := initramfs.Want(m.root(), m.Dir)
	switch {
	case err != nil:
		return append(findings, m.unread(m.Dir, err, "whether the images have the lists that are here is not known")...)
	case !want.Lists():
		return append(findings, fine("the initramfs has no lists to have")...)
	}
	useless := menu.useless(m)
	for _, path := range paths {
		findings = append(findings, image(m, want, path, useless)...)
	}
	return findings
}

// image looks into one; useless is how bad it is that one does not load lists.
func image(m *Machine, want *initramfs.Wanted, path string, useless Verdict) []Finding {
	const unknown = "whether the next boot loads the lists that are here is not known"
	in, err := want.Inspect(path)
	switch {
	case errors.Is(err, initramfs.ErrNoProgram):
		return amiss(Unknown, fmt.Sprintf("%s: %v", path, err), unknown, "install that program, and look again: apt-get install or dnf install")
	case errors.Is(err, compact.ErrMalformed) || errors.Is(err, compact.ErrTruncated):
		return amiss(Error, fmt.Sprintf("the image cannot be read: %v", err), "it may not boot", rebuildCommand(m))
	case err != nil:
		return m.unread(strings.TrimPrefix(path, m.Root), err, unknown)
	case in.Current():
		return fine("%s has the uploader, the certificates, the policy and the %d lists that are here now, with their signatures", path, in.Lists)
	case !in.Loads():
		return amiss(useless, path+" loads no list: "+lacks(in), "where the kernel appraises, no program would run", rebuildCommand(m))
	case len(in.Unsigned) > 0:
		return amiss(useless, path+" has no signatures of some lists, or older ones: "+lacks(in), "appraisal would refuse these lists", rebuildCommand(m))
	}
	return amiss(Warning, path+" is older than the system: "+lacks(in), "the kernel gets what was here before", rebuildCommand(m))
}

// lacks says how an image differs, with an example of each way.
func lacks(in *initramfs.Contents) string {
	var parts []string
	for _, part := range []struct {
		text  string
		names []string
	}{
		{"not in it", in.Missing},
		{"another one in it", in.Other},
		{"no longer here", in.Extra},
		{"without the signature of here", in.Unsigned},
	} {
		switch n := len(part.names); {
		case n == 1:
			parts = append(parts, part.text+": "+part.names[0])
		case n > 1:
			parts = append(parts, fmt.Sprintf("%s: %s and %d more", part.text, part.names[0], n-1))
		}
	}
	return strings.Join(parts, "; ")
}

// A menu is what a boot menu has for digest lists.
type menu struct {
	args   []string // for the kernel, of all entries
	images []string // by the names that the boot loader has for them
}

// readMenu returns what there is also with an error. A boot loader that is not known has none.
func readMenu(root string) (m menu, err error) {
	l, err := bootloader.Detect(root)
	if errors.Is(err, bootloader.ErrUnknown) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	entries, err := l.Entries()
	for _, e := range entries {
		m.args = append(m.args, e.Args...)
	}
	images, imagesErr := l.Images()
	m.images = images
	return m, errors.Join(err, imagesErr)
}

// useless is how bad an image is that does not load lists: no program would run where the
// kernel asks for them.
func (b menu) useless(m *Machine) Verdict {
	args, _ := os.ReadFile(filepath.Join(m.path(securityfs.ProcMountPoint), "cmdline"))
	all := slices.Concat(strings.Fields(string(args)), b.args)
	if slices.ContainsFunc(all, func(a string) bool { return strings.HasPrefix(a, "ima_appraise_digest_list=") }) {
		return Error
	}
	return Warning
}

// absent finds entries whose image is not there.
func (b menu) absent(m *Machine) (findings []Finding) {
	for _, name := range b.images {
		if !m.onBootPartition(name) {
			findings = append(findings, amiss(Error, "a boot entry for digest lists has the image "+name+", which is not there",
				"that entry does not boot", rebuildCommand(m))...)
		}
	}
	return findings
}

// onBootPartition looks for a file by the name that a boot loader has for it, which begins
// at the file system that it reads.
func (m *Machine) onBootPartition(name string) bool {
	return slices.ContainsFunc([]string{"/", "/boot", "/efi", "/boot/efi"}, func(dir string) bool {
		there, err := exists(m.path(filepath.Join(dir, name)))
		return there || err != nil
	})
}

// hooks are what has the makers of images put lists into them.
var hooks = []string{"/usr/share/initramfs-tools/hooks/digestlists", "/usr/lib/dracut/modules.d/98digestlist/module-setup.sh"}

// rebuildCommand returns what makes the images anew.
func rebuildCommand(m *Machine) string {
	g, err := initramfs.Find(m.root())
	if err != nil {
		return "install dracut or initramfs-tools, then " + m.tool("initramfs")
	}
	command, err := g.Command("")
	if err != nil {
		return "install a kernel with its modules (" + err.Error() + "), then " + m.tool("initramfs")
	}
	if !slices.ContainsFunc(hooks, func(hook string) bool { there, _ := exists(m.path(hook)); return there }) {
		return "install the hook for dracut or initramfs-tools (make install-initramfs), then " + command
	}
	return command
}
