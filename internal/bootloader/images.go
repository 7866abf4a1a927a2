package bootloader

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// initrds returns the images that lines "initrd IMAGE…" of a menu name, or with initrdefi
// and initrd16 of older GRUBs. Variables, which begin with a $, may stand for none.
func initrds(text string) (images []string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || !strings.HasPrefix(words[0], "initrd") {
			continue
		}
		for _, w := range words[1:] {
			if !strings.HasPrefix(w, "$") {
				images = append(images, w)
			}
		}
	}
	return images
}

func sorted(images []string) []string {
	slices.Sort(images)
	return slices.Compact(images)
}

func (b *entryFiles) Images() ([]string, error) {
	files, err := b.files("*" + mark + "*.conf")
	if err != nil {
		return nil, err
	}
	var images []string
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(b.root, b.dir, f))
		if err != nil {
			return nil, err
		}
		images = append(images, initrds(string(text))...)
	}
	return sorted(images), nil
}

// Images reads what our scripts have printed: grub-mkconfig has a line before and after.
func (g *grub) Images() ([]string, error) {
	var images []string
	for _, c := range g.config {
		menu, err := os.ReadFile(filepath.Join(g.root, c))
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(menu), "### BEGIN "+ourScript)
		for rest != "" {
			var part string
			part, rest, _ = strings.Cut(rest, "### END "+ourScript)
			images = append(images, initrds(part)...)
			_, rest, _ = strings.Cut(rest, "### BEGIN "+ourScript)
		}
	}
	return sorted(images), nil
}

func (g *grubby) Images() ([]string, error) {
	items, err := g.items("ALL")
	if err != nil {
		return nil, err
	}
	var images []string
	for _, i := range items {
		if strings.Contains(i["title"], titleStart) {
			images = append(images, initrds("initrd "+i["initrd"])...)
		}
	}
	return sorted(images), nil
}
