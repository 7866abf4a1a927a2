package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"digestlists/internal/bootloader"
	"digestlists/internal/coverage"
	"digestlists/internal/imasig"
	"digestlists/internal/initramfs"
	"digestlists/internal/journal"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
)

// A Status is how digest lists are on a machine now.
type Status struct {
	SetUp    string             `json:"set_up"`         // what the last set-up did: "", its mode, or its mode and "interrupted"
	Loaded   *int64             `json:"loaded"`         // digests that the kernel knows; null if it has no digest lists, or that is not known
	Lists    int                `json:"lists"`          // in the directory
	Unsigned []string           `json:"unsigned"`       // lists without any signature
	Boot     *coverage.Report   `json:"boot"`           // what was measured since boot; null if that is not known
	Refused  []coverage.File    `json:"refused"`        // what appraisal refused, or would have
	Stale    []string           `json:"stale"`          // initramfs images with older lists
	Entries  []bootloader.Entry `json:"entries"`        // of the boot menu
	Unknown  []string           `json:"unknown_status"` // what of this could not be found out, and why

	unsupported bool
}

// Unsupported reports whether the kernel has no digest lists; it may also not be known.
func (s *Status) Unsupported() bool { return s.unsupported }

// ReadStatus finds out what it can of the system below root.
func ReadStatus(root, dir string) *Status {
	s := &Status{}
	root = Under(root, "/")
	for _, part := range []struct {
		name string
		read func(root, dir string) error
	}{
		{"set-up", s.readSetUp},
		{"kernel", s.readLoaded},
		{"lists", s.readLists},
		{"measurements", s.readBoot},
		{"refused files", s.readRefused},
		{"initramfs", s.readStale},
		{"boot loader", s.readEntries},
	} {
		if err := part.read(root, dir); err != nil {
			s.Unknown = append(s.Unknown, part.name+": "+err.Error())
		}
	}
	s.Unsigned, s.Refused, s.Stale = notNil(s.Unsigned), notNil(s.Refused), notNil(s.Stale)
	s.Entries, s.Unknown = notNil(s.Entries), notNil(s.Unknown)
	if s.Boot != nil {
		s.Boot.Unknown = notNil(s.Boot.Unknown)
	}
	return s
}

// notNil makes an empty list one in JSON, too, where it would be null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Good reports whether all is known, signed, up to date and complete.
func (s *Status) Good() bool {
	return len(s.Unknown) == 0 && s.Loaded != nil && len(s.Unsigned) == 0 && s.Boot.Complete() &&
		len(s.Refused) == 0 && len(s.Stale) == 0 && !strings.Contains(s.SetUp, "interrupted")
}

func (s *Status) readSetUp(root, _ string) error {
	j, err := journal.Open(root, StateDir, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer j.Close()
	var p plan
	found, err := j.LastNote(planNote, &p)
	if err != nil || !found {
		return err
	}
	if s.SetUp = string(p.Config.Mode); !p.Ended {
		s.SetUp += ", interrupted"
	}
	return nil
}

func (s *Status) readLoaded(root, _ string) error {
	text, err := os.ReadFile(filepath.Join(root, securityfs.MountPoint, "ima/digests_count"))
	if errors.Is(err, fs.ErrNotExist) {
		s.unsupported = true
		return nil
	}
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return fmt.Errorf("digests_count: %w", err)
	}
	s.Loaded = &n
	return nil
}

func (s *Status) readLists(root, dir string) error {
	lists, err := listdir.Open(filepath.Join(root, dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lists.Close()
	for _, l := range lists.Lists() {
		s.Lists++
		content, err := lists.ReadInto(l.File, nil)
		if err != nil {
			return err
		}
		_, err = imasig.Find(filepath.Join(root, dir, l.File), content)
		switch {
		case errors.Is(err, imasig.ErrNoSignature):
			s.Unsigned = append(s.Unsigned, l.File)
		case err != nil:
			return fmt.Errorf("%s: %w", l.File, err)
		}
	}
	return nil
}

func (s *Status) readBoot(root, dir string) (err error) {
	s.Boot, err = coverage.Measurements(root, dir)
	return err
}

func (s *Status) readRefused(root, _ string) (err error) {
	s.Refused, err = coverage.Refused(root)
	return err
}

func (s *Status) readStale(root, dir string) (err error) {
	s.Stale, err = initramfs.Stale(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Status) readEntries(root, _ string) error {
	l, err := bootloader.Detect(root)
	if err != nil {
		return err
	}
	s.Entries, err = l.Entries()
	return err
}
