package initramfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"digestlists/internal/inroot"
)

// staleMark is there while images may have older lists than the directory. It is what
// digestlist-update keeps, too.
const staleMark = "var/lib/digest_lists/initramfs-stale"

func unmark(root string) error {
	err := os.Remove(below(root, staleMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Kernels returns the kernels that have modules, which are those that an image can be
// made for.
func Kernels(root string) ([]string, error) {
	r, err := inroot.Open(root)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	dir, err := r.Real("/lib/modules")
	if err != nil {
		return nil, fmt.Errorf("/lib/modules: %w", err)
	}
	entries, err := os.ReadDir(r.Path(dir))
	if err != nil {
		return nil, err
	}
	var kernels []string
	for _, e := range entries {
		// depmod makes it with the modules; what an old kernel leaves behind has none.
		if _, err := os.Stat(r.Path(filepath.Join(dir, e.Name(), "modules.dep"))); err == nil {
			kernels = append(kernels, e.Name())
		}
	}
	if len(kernels) == 0 {
		return nil, errors.New("/lib/modules: no kernel has modules (modules.dep) there")
	}
	return kernels, nil
}

// imagePatterns are where distributions, and kernel-install, put images.
var imagePatterns = []string{
	"boot/initrd.img-*", "boot/initramfs-*.img", "boot/initrd-*",
	"boot/*/*/initrd", "efi/*/*/initrd", "boot/efi/*/*/initrd",
}

// Images returns the images of a system, as paths on the running one. Rescue images and
// those for crash dumps, which a generator does not make anew, and what is no image yet are
// left out.
func Images(root string) []string {
	var images []string
	for _, pattern := range imagePatterns {
		found, _ := fs.Glob(os.DirFS(below(root, "/")), pattern) // the patterns are good
		for _, name := range found {
			base := filepath.Base(name)
			if !strings.Contains(base, "-rescue-") && !strings.Contains(base, "kdump") && !strings.HasSuffix(base, ".new") {
				images = append(images, below(root, name))
			}
		}
	}
	return images
}

// Stale returns the images that do not have what they should: see [Wanted]. Where there are no lists, none is
// to have any.
func Stale(root, dir string) ([]string, error) {
	want, err := Want(root, dir)
	if err != nil || !want.Lists() {
		return nil, err
	}
	var stale []string
	for _, path := range Images(root) {
		contents, err := want.Inspect(path)
		if err != nil {
			return stale, err
		}
		if !contents.Current() {
			stale = append(stale, path)
		}
	}
	return stale, nil
}
