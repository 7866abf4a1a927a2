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

	"digestlists/internal/command"
	"digestlists/internal/coverage"
	"digestlists/internal/securityfs"
)

// ErrNotReady: enforcing now would lock something out.
var ErrNotReady = errors.New("not ready to enforce")

// getReady is what to do where it is so, and keepLog where it cannot be told, because the kernel's
// log does not reach back to the boot.
const (
	getReady = "boot the entry log, use the machine for a while, and add what is unknown to the lists"
	keepLog  = "boot the entry log anew (setup_ima_digest_lists bootloader add log gives it " + keptLog + "), " +
		"or run auditd from the boot on; then check again, before the log is full"
)

// mendGate is what to do about an error of the gate.
func mendGate(err error) string {
	if errors.Is(err, coverage.ErrLost) {
		return keepLog
	}
	return getReady
}

// gate lets nothing be enforced before a boot in log mode has shown that every file
// is known.
func (s *Setup) gate() (*Step, error) {
	if s.Mode != Enforce {
		return nil, nil
	}
	return &Step{
		Name: "gate",
		Text: "check that this boot was one in log mode, and that every file of it is known to the lists",
		Mend: getReady,
		Do: func(_ context.Context, out io.Writer) error {
			r := s.Readiness()
			return errors.Join(r.Print(out), r.Err())
		},
	}, nil
}

// A Readiness says whether all that ran in this boot would run with enforcing.
type Readiness struct {
	Ready   bool             `json:"ready"`
	Reason  string           `json:"reason"`  // why not, or ""
	Mend    string           `json:"mend"`    // what to do then, or ""
	Boot    *coverage.Report `json:"boot"`    // what was measured since boot; null if that is not known
	Refused []coverage.File  `json:"refused"` // what appraisal would not have let run

	err error // of Reason
}

// Readiness finds out whether this boot was one in log mode that left no file unknown.
// What cannot be found out is a reason against it.
func (s *Setup) Readiness() *Readiness {
	r := &Readiness{Refused: []coverage.File{}}
	if r.err = s.judge(r); r.err != nil {
		r.Reason, r.Mend = r.err.Error(), mendGate(r.err)
	}
	r.Ready = r.err == nil
	return r
}

func (s *Setup) judge(r *Readiness) error {
	if err := s.bootedInLogMode(); err != nil {
		return err
	}
	report, err := coverage.Measurements(s.path("/"), s.Dir)
	if err != nil {
		return err
	}
	r.Boot = report
	report.Unknown = notNil(report.Unknown)
	refused, err := coverage.Refused(s.path("/"))
	r.Refused = notNil(refused)
	if err != nil {
		return err
	}
	switch {
	case report.Lists == 0:
		return errors.New("no list was loaded in this boot")
	case len(report.Unknown) > 0 || len(refused) > 0:
		return fmt.Errorf("%d files are unknown to the lists, %d would not have run", len(report.Unknown), len(refused))
	}
	return nil
}

// Err returns ErrNotReady with the reason and what to do, or nil.
func (r *Readiness) Err() error {
	if r.Ready {
		return nil
	}
	return command.WithHint(fmt.Errorf("%w: %w", ErrNotReady, r.err), r.Mend)
}

// Print says what was found.
func (r *Readiness) Print(out io.Writer) error {
	var text strings.Builder
	if r.Boot != nil {
		fmt.Fprintf(&text, "the lists know %d of %d files that were measured since boot (%d%%)\n", r.Boot.Known, r.Boot.Measured, r.Boot.Percent())
		for _, f := range r.Boot.Unknown {
			fmt.Fprintf(&text, "unknown: %s: %s\n", f.Path, f.Reason)
		}
	}
	for _, f := range r.Refused {
		fmt.Fprintf(&text, "would not run: %s: %s\n", f.Path, f.Reason)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func (s *Setup) bootedInLogMode() error {
	text, err := os.ReadFile(filepath.Join(s.path(securityfs.ProcMountPoint), "cmdline"))
	if err != nil {
		return err
	}
	words := strings.Fields(string(text))
	appraises := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "ima_appraise_digest_list=") })
	if !slices.Contains(words, "ima_appraise=log") || !appraises {
		return errors.New("this boot was not one in log mode (no ima_appraise=log with ima_appraise_digest_list= on the command line)")
	}
	return nil
}
