package main

import (
	"encoding/json"
	"errors"
	"io"
	"iter"

	"digestlists/attest"
	"digestlists/internal/command"
	"digestlists/internal/progress"
	"digestlists/parsers/imalog"

	"github.com/urfave/cli/v2"
)

// listFlags are for checking a list directory.
var listFlags = []string{"dir", "file", "rpm-keys", "no-key-lists"}

// attestMachine tells whether a machine has run nothing but known files.
func attestMachine(c *cli.Context) error {
	if err := refuseNames(c, "is not for --measurements and --audit", listFlags...); err != nil {
		return err
	}
	report, err := attestReport(c)
	if err != nil {
		return err
	}
	if err := writePage(c, report); err != nil {
		return err
	}
	if err := printReport(c, report); err != nil {
		return err
	}
	switch report.Verdict {
	case attest.Trusted:
		return nil
	case attest.Nothing:
		return &command.Error{Code: command.ExitNothing}
	}
	return command.Failed()
}

// attestReport reads everything that the options name. Options come first, evidence
// next: a quote that does not hold needs no references.
func attestReport(c *cli.Context) (*attest.Report, error) {
	options, err := attestOptions(c)
	if err != nil {
		return nil, err
	}
	m, err := machineOfFlags(c)
	if err != nil {
		return nil, err
	}
	if c.IsSet("from-state") {
		if options.From, err = readState(c.String("from-state")); err != nil {
			return nil, err
		}
	}
	evidence, err := m.evidence()
	if err != nil {
		return refused(err)
	}
	if err := writeEvmctlPCRs(c.String("evmctl-pcrs"), evidence); err != nil {
		return nil, err
	}
	if options.References, err = readReferences(c, options.Keys, options.Now); err != nil {
		return nil, err
	}
	line := progress.Start(c.App.ErrWriter, "entries")
	defer line.Stop()
	if evidence.Measurements != nil {
		evidence.Measurements = counted(evidence.Measurements, line)
	}
	report, err := attest.Verify(evidence, options)
	if errors.Is(err, attest.ErrState) {
		return nil, command.WithHint(err, "without --from-state the list is verified from its first entry")
	}
	if err == nil && report.State() != nil {
		err = writeState(c.String("save-state"), report.State())
	}
	return report, err
}

// refused makes a verdict of a quote that does not hold.
func refused(err error) (*attest.Report, error) {
	if errors.Is(err, attest.ErrQuote) {
		return attest.Refused(err), nil
	}
	return nil, err
}

func counted(entries iter.Seq2[*imalog.Measurement, error], line *progress.Line) iter.Seq2[*imalog.Measurement, error] {
	return func(yield func(*imalog.Measurement, error) bool) {
		for m, err := range entries {
			line.Add(1)
			if !yield(m, err) {
				return
			}
		}
	}
}

func printReport(c *cli.Context, report *attest.Report) error {
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(report)
	}
	_, err := io.WriteString(c.App.Writer, verdictText(report, c.Bool("verbose") || c.Bool("all")))
	return err
}
