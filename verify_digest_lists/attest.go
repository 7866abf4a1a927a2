package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"digestlists/attest"
	"digestlists/internal/command"
	"digestlists/internal/progress"
	"digestlists/parsers/imalog"

	"github.com/urfave/cli/v2"
)

// attestFlags are those that say something of a machine's evidence.
func attestFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "measurements", Usage: "`FILE` with the IMA measurement list of a machine, text or binary, plain or compressed with gzip or zstd; may be repeated for its parts in order"},
		&cli.StringSliceFlag{Name: "pcrs", Usage: "`FILE` with PCR values that nobody has signed; may be repeated"},
		&cli.StringFlag{Name: "quote", Usage: "`FILE` with the TPM's quote (tpm2_quote -m)"},
		&cli.StringFlag{Name: "signature", Usage: "`FILE` with its signature (tpm2_quote -s)"},
		&cli.StringFlag{Name: "quote-pcrs", Usage: "`FILE` with the PCR values that were quoted (tpm2_quote -o)"},
		&cli.StringFlag{Name: "ak", Usage: "`FILE` with the attestation key of the machine's TPM (PEM, DER or TPM2B_PUBLIC)"},
		&cli.StringFlag{Name: "nonce", Usage: "the nonce of the quote, in `HEX`"},
		&cli.StringSliceFlag{Name: "reference", Usage: "`PATH` of what is known: a digest list, a package, an RPM database, or a folder of these; may be repeated"},
		&cli.StringFlag{Name: "allow", Usage: "`FILE` with patterns of files that may be unknown"},
		&cli.StringFlag{Name: "exclude", Usage: "`FILE` with patterns of files that are not looked at"},
		&cli.IntSliceFlag{Name: "require-pcr", Usage: "PCR `N` has to be explained by the list even if the list does not name it; may be repeated"},
		&cli.IntFlag{Name: "digest-list-pcr", Value: -1, Usage: "PCR `N` holds what no digest list has (ima_digest_list_pcr=); 0 for none", DefaultText: "found out"},
		&cli.BoolFlag{Name: "allow-weak", Usage: "take what only SHA-1 attests"},
		&cli.BoolFlag{Name: "ignore-violations", Usage: "report violations without distrust"},
	}
}

// refuseFlags refuses options that have no meaning together with the others.
func refuseFlags(c *cli.Context, flags []cli.Flag, why string) error {
	for _, f := range flags {
		if name := f.Names()[0]; c.IsSet(name) {
			return command.Usagef("--%s %s", name, why)
		}
	}
	return nil
}

// attestMachine tells whether a machine has run nothing but known files.
func attestMachine(c *cli.Context) error {
	for _, name := range []string{"dir", "file", "rpm-keys", "no-key-lists"} {
		if c.IsSet(name) {
			return command.Usagef("--%s is not for --measurements", name)
		}
	}
	report, err := attestReport(c)
	if err != nil {
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
	var evidence attest.Evidence
	if evidence.PCRs, evidence.Quote, err = readValues(c); err != nil {
		if errors.Is(err, attest.ErrQuote) {
			return attest.Refused(err), nil
		}
		return nil, err
	}
	if options.References, err = readReferences(c, options.Keys, options.Now); err != nil {
		return nil, err
	}
	line := progress.Start(c.App.ErrWriter, "entries")
	defer line.Stop()
	evidence.Measurements = counted(attest.Measurements(c.StringSlice("measurements")...), line)
	return attest.Verify(evidence, options)
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

func attestOptions(c *cli.Context) (attest.Options, error) {
	o := attest.Options{
		Now: time.Now(), Required: c.IntSlice("require-pcr"),
		AllowSHA1: c.Bool("allow-weak"), IgnoreViolations: c.Bool("ignore-violations"),
	}
	for _, pcr := range o.Required {
		if pcr < 0 || pcr >= attest.NumPCRs {
			return o, command.Usagef("--require-pcr %d, want 0 to %d", pcr, attest.NumPCRs-1)
		}
	}
	if c.IsSet("digest-list-pcr") {
		o.ListPCR = c.Int("digest-list-pcr")
		switch {
		case o.ListPCR < 0 || o.ListPCR >= attest.NumPCRs:
			return o, command.Usagef("--digest-list-pcr %d, want 1 to %d, or 0 for none", o.ListPCR, attest.NumPCRs-1)
		case o.ListPCR == 0:
			o.ListPCR = -1
		}
	}
	var err error
	if o.Allow, err = readPatterns(c, "allow"); err != nil {
		return o, err
	}
	if o.Exclude, err = readPatterns(c, "exclude"); err != nil {
		return o, err
	}
	o.Keys, err = readKeys(c)
	return o, err
}

func readPatterns(c *cli.Context, option string) (*attest.Patterns, error) {
	if !c.IsSet(option) {
		return nil, nil
	}
	data, err := os.ReadFile(c.String(option))
	if err != nil {
		return nil, err
	}
	patterns, err := attest.ParsePatterns(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.String(option), err)
	}
	return patterns, nil
}

func printReport(c *cli.Context, report *attest.Report) error {
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(report)
	}
	_, err := io.WriteString(c.App.Writer, verdictText(report, c.Bool("verbose")))
	return err
}
