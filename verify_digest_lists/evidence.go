package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"digestlists/attest"
	"digestlists/internal/command"

	"github.com/urfave/cli/v2"
)

// readValues reads the PCR values, of a quote if there is one.
func readValues(c *cli.Context) (*attest.PCRs, *attest.Quote, error) {
	files := c.StringSlice("pcrs")
	if !c.IsSet("quote") {
		for _, name := range []string{"signature", "quote-pcrs", "ak", "nonce"} {
			if c.IsSet(name) {
				return nil, nil, command.Usagef("--%s is for --quote", name)
			}
		}
		pcrs, err := mergePCRs(files, nil)
		return pcrs, nil, err
	}
	if c.IsSet("pcrs") == c.IsSet("quote-pcrs") {
		return nil, nil, command.Usagef("--quote needs the values that were quoted: either --quote-pcrs or --pcrs")
	}
	if c.IsSet("quote-pcrs") {
		files = []string{c.String("quote-pcrs")}
	}
	evidence, err := readQuote(c)
	if err != nil {
		return nil, nil, err
	}
	evidence.Values = func(selection []attest.SelectedBank) (*attest.PCRs, error) { return mergePCRs(files, selection) }
	quote, err := attest.OpenQuote(evidence)
	if err != nil && !errors.Is(err, attest.ErrQuote) {
		err = fmt.Errorf("%s: %w", c.String("quote"), err)
	}
	return nil, quote, err
}

func mergePCRs(files []string, selection []attest.SelectedBank) (*attest.PCRs, error) {
	all := new(attest.PCRs)
	for _, path := range files {
		pcrs, err := attest.ReadPCRs(path, selection)
		if err != nil {
			return nil, err
		}
		if err := all.Merge(pcrs); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return all, nil
}

// readQuote reads the files of a quote, all of which are needed.
func readQuote(c *cli.Context) (e attest.QuoteEvidence, err error) {
	for _, name := range []string{"signature", "ak", "nonce"} {
		if c.String(name) == "" {
			return e, command.Usagef("--quote needs --%s", name)
		}
	}
	if e.Nonce, err = hex.DecodeString(c.String("nonce")); err != nil {
		return e, command.Usagef("--nonce %q, want hex", c.String("nonce"))
	}
	if e.Message, err = os.ReadFile(c.String("quote")); err != nil {
		return e, err
	}
	if e.Signature, err = os.ReadFile(c.String("signature")); err != nil {
		return e, err
	}
	key, err := os.ReadFile(c.String("ak"))
	if err != nil {
		return e, err
	}
	if e.Key, err = attest.ParseAttestationKey(key); err != nil {
		return e, fmt.Errorf("%s: %w", c.String("ak"), err)
	}
	e.AllowSHA1 = c.Bool("allow-weak")
	return e, nil
}
