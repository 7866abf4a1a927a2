package attest

import (
	"encoding/hex"
	"fmt"
	"strings"

	"digestlists/compact"
)

// pcrText reads PCR values line by line.
type pcrText struct {
	pcrs   PCRs
	bank   compact.Algorithm // of the heading that was read last
	inBank bool
	hint   PCRHint
}

func parsePCRText(text string, hint PCRHint) (*PCRs, error) {
	t := pcrText{hint: hint}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if err := t.line(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if len(t.pcrs.banks) == 0 {
		return nil, fmt.Errorf("%w: no PCR values", ErrMalformed)
	}
	return &t.pcrs, nil
}

// headings are keys in the text of tpm2_quote that hold no values.
var headings = map[string]bool{"quoted": true, "signature": true, "alg": true, "sig": true, "pcrs": true, "calcDigest": true}

func (t *pcrText) line(line string) error {
	key, value, colon := strings.Cut(line, ":")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	switch {
	case line == "" || headings[key] && colon:
		return nil
	case !colon && isEvmctlResult(line):
		return nil
	case !colon:
		return t.single(line)
	case value == "":
		return t.heading(key)
	case t.inBank:
		return t.set(t.bank, key, value)
	}
	if isEvmctlResult(line) {
		return nil
	}
	if pcr, ok := strings.CutPrefix(key, "PCR-"); ok {
		bank := t.hint.Bank
		if bank == 0 {
			bank = compact.SHA1
		}
		return t.set(bank, pcr, strings.ReplaceAll(value, " ", ""))
	}
	bank, err := parseBank(key)
	if err != nil {
		return err
	}
	if strings.HasPrefix(value, "PCRAgg ") {
		return nil // what evmctl has replayed, followed by the value
	}
	pcr, value, ok := strings.Cut(strings.TrimPrefix(value, "TPM PCR-"), ":")
	value = strings.TrimSpace(value)
	if !ok {
		return fmt.Errorf("%w: %s, want bank:index:hex", ErrMalformed, quoteText(line))
	}
	return t.set(bank, pcr, value)
}

// isEvmctlResult tells what evmctl says of values from the values: whether they match.
func isEvmctlResult(line string) bool {
	return strings.Contains(line, " PCR-") && strings.Contains(line, ": succeed") ||
		strings.Contains(line, " does not match TPM PCR-") || strings.HasPrefix(line, "Matched ") || strings.HasPrefix(line, "Failed to match ")
}

// heading starts a bank. tpm2_pcrread lists banks without values, too.
func (t *pcrText) heading(name string) error {
	bank, err := parseBank(name)
	if err != nil {
		return err
	}
	t.bank, t.inBank = bank, true
	return nil
}

func (t *pcrText) single(value string) error {
	if t.hint.PCR < 0 || t.hint.Bank == 0 {
		return fmt.Errorf("%w: %s, want a bank and the number of a PCR", ErrMalformed, quoteText(value))
	}
	return t.setNumber(t.hint.Bank, t.hint.PCR, value)
}

func (t *pcrText) set(bank compact.Algorithm, number, value string) error {
	pcr, ok := parsePCR(number)
	if !ok {
		return fmt.Errorf("%w: PCR %s, want 0 to %d", ErrMalformed, quoteText(number), NumPCRs-1)
	}
	return t.setNumber(bank, pcr, value)
}

func (t *pcrText) setNumber(bank compact.Algorithm, pcr int, value string) error {
	value = strings.TrimPrefix(strings.TrimPrefix(value, "0x"), "0X")
	digest, err := hex.DecodeString(value)
	if err != nil {
		return fmt.Errorf("%w: PCR value %s, want hex", ErrMalformed, quoteText(value))
	}
	return t.pcrs.Set(bank, pcr, digest)
}

// maxQuote is how many bytes of the input an error shows.
const maxQuote = 64

func quoteText(text string) string {
	if len(text) > maxQuote {
		return fmt.Sprintf("%q...", text[:maxQuote])
	}
	return fmt.Sprintf("%q", text)
}
