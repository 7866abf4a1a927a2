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

	"digestlists/internal/coverage"
	"digestlists/internal/securityfs"
)

// ErrNotReady: enforcing now would lock something out.
var ErrNotReady = errors.New("not ready to enforce")

// gate lets nothing be enforced before a boot in log mode has shown that every file
// is known.
func (s *Setup) gate() (*Step, error) {
	if s.Mode != Enforce {
		return nil, nil
	}
	return &Step{
		Name: "gate",
		Text: "check that this boot was one in log mode, and that every file of it is known to the lists",
		Mend: "boot the entry log, use the machine for a while, and add what is unknown to the lists",
		Do:   func(_ context.Context, out io.Writer) error { return s.Ready(out) },
	}, nil
}

// Ready returns ErrNotReady, with the reason, unless this boot was one in log mode that
// left no file unknown. It prints what it has found.
func (s *Setup) Ready(out io.Writer) error {
	if err := s.bootedInLogMode(); err != nil {
		return err
	}
	report, err := coverage.Measurements(s.path("/"), s.Dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	fmt.Fprintf(out, "the lists know %d of %d files that were measured since boot (%d%%)\n", report.Known, report.Measured, report.Percent())
	refused, err := coverage.Refused(s.path("/"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	for _, f := range report.Unknown {
		fmt.Fprintf(out, "unknown: %s: %s\n", f.Path, f.Reason)
	}
	for _, f := range refused {
		fmt.Fprintf(out, "would not run: %s: %s\n", f.Path, f.Reason)
	}
	switch {
	case report.Lists == 0:
		return fmt.Errorf("%w: no list was loaded in this boot", ErrNotReady)
	case len(report.Unknown) > 0 || len(refused) > 0:
		return fmt.Errorf("%w: %d files are unknown to the lists, %d would not have run", ErrNotReady, len(report.Unknown), len(refused))
	}
	return nil
}

func (s *Setup) bootedInLogMode() error {
	text, err := os.ReadFile(filepath.Join(s.path(securityfs.ProcMountPoint), "cmdline"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	words := strings.Fields(string(text))
	appraises := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "ima_appraise_digest_list=") })
	if !slices.Contains(words, "ima_appraise=log") || !appraises {
		return fmt.Errorf("%w: this boot was not one in log mode (no ima_appraise=log with ima_appraise_digest_list= on the command line)", ErrNotReady)
	}
	return nil
}
