package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"digestlists/internal/initramfs"
)

// workFolder is where the programs that make images work: inside the folder of the
// journal, so that what a killed one leaves goes away with it.
const workFolder = StateDir + "/tmp"

// initramfsStep makes the images anew, so that they have the lists.
func (s *Setup) initramfsStep() (*Step, error) {
	if !s.Initramfs {
		return nil, nil
	}
	g, err := initramfs.Find(s.path("/"))
	if err != nil {
		return nil, fmt.Errorf("initramfs = yes: %w", err)
	}
	command, err := g.Command("")
	if err != nil {
		return nil, fmt.Errorf("initramfs = yes: %w", err)
	}
	touches, err := s.images()
	if err != nil {
		return nil, err
	}
	return &Step{
		Name:    "initramfs",
		Text:    "make the initramfs anew, with the lists: " + command,
		Mend:    "run " + command + " by hand, and see what it says",
		Touches: append(touches, "/var/lib/initramfs-tools", "/var/lib/digest_lists/initramfs-stale"),
		Do: func(ctx context.Context, _ io.Writer) error {
			// A maker that was killed leaves an image's worth of files.
			if err := errors.Join(os.RemoveAll(s.path(workFolder)), os.MkdirAll(s.path(workFolder), 0o700)); err != nil {
				return err
			}
			if err := os.Setenv("TMPDIR", workFolder); err != nil {
				return err
			}
			return errors.Join(g.Rebuild(ctx, ""), os.Unsetenv("TMPDIR"), os.RemoveAll(s.path(workFolder)))
		},
	}, nil
}

// images returns the images that may be made or changed, with the names under which
// the programs write them first.
func (s *Setup) images() ([]string, error) {
	var all []string
	for _, path := range initramfs.Images(s.path("/")) {
		all = append(all, "/"+strings.TrimPrefix(path, strings.TrimSuffix(s.path("/"), "/")+"/"))
	}
	kernels, err := initramfs.Kernels(s.path("/"))
	if err != nil {
		return nil, err
	}
	for _, k := range kernels {
		all = append(all, "/boot/initrd.img-"+k, "/boot/initramfs-"+k+".img")
	}
	for _, path := range slices.Clone(all) {
		for _, suffix := range []string{".new", ".dpkg-bak", ".tmp"} {
			all = append(all, filepath.Clean(path+suffix))
		}
	}
	return all, nil
}
