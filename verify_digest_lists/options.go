package main

import (
	"fmt"
	"time"

	"digestlists/attest"
	"digestlists/internal/command"

	"github.com/urfave/cli/v2"
)

// machineFlags are the evidence of one machine.
func machineFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "measurements", Usage: "`FILE` with the IMA measurement list of a machine, text or binary, plain or compressed with gzip or zstd; may be repeated for its parts in order"},
		&cli.StringSliceFlag{Name: "pcrs", Usage: "`FILE` with PCR values that nobody has signed; may be repeated"},
		&cli.StringFlag{Name: "quote", Usage: "`FILE` with the TPM's quote (tpm2_quote -m)"},
		&cli.StringFlag{Name: "signature", Usage: "`FILE` with its signature (tpm2_quote -s)"},
		&cli.StringFlag{Name: "quote-pcrs", Usage: "`FILE` with the PCR values that were quoted (tpm2_quote -o)"},
		&cli.StringFlag{Name: "ak", Usage: "`FILE` with the attestation key of the machine's TPM (PEM, DER or TPM2B_PUBLIC)"},
		&cli.StringFlag{Name: "nonce", Usage: "the nonce of the quote, in `HEX`"},
		&cli.StringSliceFlag{Name: "audit", Usage: "`FILE` with audit records of the machine: audit.log, the kernel's log, or journalctl -o export, plain or compressed with gzip or zstd; may be repeated"},
		&cli.StringFlag{Name: "evmctl-pcrs", Usage: "write the PCR values to a file for each bank in `DIR`, as evmctl ima_measurement --pcrs reads them"},
		&cli.StringFlag{Name: "html", Usage: "write the report, with every entry, to `FILE` as a page for a browser"},
		&cli.StringFlag{Name: "event-log", Usage: "`FILE` with the firmware's event log (binary_bios_measurements), to check boot_aggregate with"},
		&cli.BoolFlag{Name: "rest", Usage: "the measurement list begins where the state of --from-state ends"},
	}
}

// batchFlags are for many machines.
func batchFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "batch", Usage: "verify every machine that has a folder in `DIR`, or whose folder is a line of standard input for -; one line of JSON each"},
		&cli.BoolFlag{Name: "unquoted", Usage: "with --batch, take machines without a quote by PCR values that nobody has signed"},
	}
}

// verdictFlags say what evidence is compared with.
func verdictFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "reference", Usage: "`PATH` of what is known: a digest list, a package, an RPM database, a folder of these, or a Keylime policy (.json); may be repeated"},
		&cli.StringFlag{Name: "allow", Usage: "`FILE` with patterns of files that may be unknown"},
		&cli.StringFlag{Name: "exclude", Usage: "`FILE` with patterns of files that are not looked at"},
		&cli.StringFlag{Name: "from-state", Usage: "continue from the state in `FILE`; with --batch, a folder of them"},
		&cli.StringFlag{Name: "save-state", Usage: "write to `FILE` what to continue from; with --batch, a folder"},
		&cli.IntSliceFlag{Name: "require-pcr", Usage: "PCR `N` has to be explained by the list even if the list does not name it; may be repeated"},
		&cli.IntFlag{Name: "digest-list-pcr", Value: -1, Usage: "PCR `N` holds what no digest list has (ima_digest_list_pcr=); 0 for none", DefaultText: "found out"},
		&cli.BoolFlag{Name: "all", Usage: "report every entry, and which list or package knows it"},
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

func refuseNames(c *cli.Context, why string, names ...string) error {
	for _, name := range names {
		if c.IsSet(name) {
			return command.Usagef("--%s %s", name, why)
		}
	}
	return nil
}

func attestOptions(c *cli.Context) (attest.Options, error) {
	o := attest.Options{
		Now: time.Now(), Required: c.IntSlice("require-pcr"), Rest: c.Bool("rest"), KeepState: c.IsSet("save-state"),
		All:       c.Bool("all") || c.IsSet("html"),
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
	if o.Rest && !c.IsSet("from-state") {
		return o, command.Usagef("--rest is for --from-state")
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
	data, err := readFile(c.String(option), maxPatterns)
	if err != nil {
		return nil, err
	}
	patterns, err := attest.ParsePatterns(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.String(option), err)
	}
	return patterns, nil
}
