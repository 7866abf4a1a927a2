package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"digestlists/internal/atomicfile"
)

const (
	updateConfig = "/etc/ima/digest_lists.conf"
	updateUnit   = "digestlist-update.path"
	updateWork   = "digestlist-update.service" // what it starts
	unitFolder   = "/usr/lib/systemd/system"
	wantedFolder = "/etc/systemd/system/multi-user.target.wants"
	updateLink   = wantedFolder + "/" + updateUnit
)

// MendUpdates is what to do where that fails.
const MendUpdates = "install " + updateUnit + " (make install does), or write " + updateConfig + " by hand: digest_lists.conf(5)"

// updatesStep lets the lists follow package updates, where there are packages.
func (s *Setup) updatesStep() (*Step, error) {
	if !s.Packages {
		return nil, nil
	}
	return &Step{
		Name:    "updates",
		Text:    "let the lists follow package updates: " + updateConfig + ", and the unit " + updateUnit,
		Mend:    MendUpdates,
		Touches: []string{updateConfig, updateConfig + atomicfile.Unfinished, updateLink},
		Do:      func(ctx context.Context, _ io.Writer) error { return s.EnableUpdates(ctx) },
		Undo:    s.stopUpdates,
	}, nil
}

// stopUpdates stops what was started, if it could be: an update that is at work, too,
// which would go on to write lists.
func (s *Setup) stopUpdates(ctx context.Context) error {
	for _, unit := range []string{updateUnit, updateWork} {
		if _, err := os.Stat(s.path(filepath.Join(unitFolder, unit))); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := s.systemctl(ctx, "stop", unit); err != nil {
			return err
		}
	}
	return nil
}

var updateYes = regexp.MustCompile(`(?m)^\s*update\s*=\s*yes\s*$`)

// EnableUpdates has new lists signed with the key that there is, and lets systemd start that
// whenever packages change. A configuration that is in use stays as it is.
func (s *Setup) EnableUpdates(ctx context.Context) error {
	switch there, err := s.haveKey(); {
	case err != nil:
		return err
	case !there:
		return fmt.Errorf("%s: there is no key to sign lists with", s.Key)
	}
	if _, err := os.Stat(s.path(filepath.Join(unitFolder, updateUnit))); err != nil {
		return err
	}
	if err := s.writeUpdateConfig(); err != nil {
		return err
	}
	// What systemctl enable does, also where no systemd runs.
	if err := os.MkdirAll(s.path(wantedFolder), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(unitFolder, updateUnit), s.path(updateLink)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	return s.systemctl(ctx, "start", updateUnit)
}

// writeUpdateConfig leaves one that is in use as it is.
func (s *Setup) writeUpdateConfig() error {
	path := s.path(updateConfig)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if updateYes.Match(old) {
		return nil
	}
	later, err := s.later()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Made by setup_ima_digest_lists: see digest_lists.conf(5).\nupdate = yes\ndir = %s\nsign = key\nkey = %s\ncert = %s\ninitramfs = mark\n", s.Dir, s.Key, s.Cert)
	if s.PasswordFile != "" {
		fmt.Fprintf(&text, "password_file = %s\n", s.PasswordFile)
	}
	if later {
		text.WriteString("generation = 0.3.9x\n")
	}
	return writeFile(path, text.Bytes(), 0o644)
}

// systemctl speaks to the systemd of the running system, if there is one.
func (s *Setup) systemctl(ctx context.Context, args ...string) error {
	if _, err := os.Stat("/run/systemd/system"); err != nil || !s.running() {
		return nil
	}
	if out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %q: %w: %s", args, err, bytes.TrimSpace(out))
	}
	return nil
}

// writeFile writes a file as a whole. The name that it has first can be named before it is
// there, as what the step touches.
func writeFile(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteAs(path+atomicfile.Unfinished, path, data, mode)
}
