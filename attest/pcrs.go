package attest

import (
	"bytes"
	"fmt"
	"slices"

	"digestlists/compact"
)

// NumPCRs is how many PCRs the TPM of a PC has.
const NumPCRs = 24

// DefaultPCR is the PCR that Linux extends with measurements unless told otherwise.
const DefaultPCR = 10

// PCRs are values of PCRs, by bank. The zero value holds none.
type PCRs struct {
	banks map[compact.Algorithm]*[NumPCRs][]byte
}

// Set sets the value of a PCR. Another value than one that was set before is
// ErrConflict, a value of the wrong size ErrMalformed.
func (p *PCRs) Set(bank compact.Algorithm, pcr int, value []byte) error {
	if pcr < 0 || pcr >= NumPCRs {
		return fmt.Errorf("%w: PCR %d, want 0 to %d", ErrMalformed, pcr, NumPCRs-1)
	}
	if len(value) != bank.Size() || len(value) == 0 {
		return fmt.Errorf("%w: a value of %d bytes for PCR %d of bank %s, want %d", ErrMalformed, len(value), pcr, bank, bank.Size())
	}
	if p.banks == nil {
		p.banks = make(map[compact.Algorithm]*[NumPCRs][]byte)
	}
	values := p.banks[bank]
	if values == nil {
		values = new([NumPCRs][]byte)
		p.banks[bank] = values
	}
	if old := values[pcr]; old != nil && !bytes.Equal(old, value) {
		return fmt.Errorf("%w: PCR %d of bank %s is both %x and %x", ErrConflict, pcr, bank, old, value)
	}
	values[pcr] = bytes.Clone(value)
	return nil
}

// Value returns the value of a PCR, or nil.
func (p *PCRs) Value(bank compact.Algorithm, pcr int) []byte {
	values := p.banks[bank]
	if values == nil || pcr < 0 || pcr >= NumPCRs {
		return nil
	}
	return values[pcr]
}

// Banks returns the banks that have values, in kernel order of their algorithms.
func (p *PCRs) Banks() []compact.Algorithm {
	banks := make([]compact.Algorithm, 0, len(p.banks))
	for bank := range p.banks {
		banks = append(banks, bank)
	}
	slices.Sort(banks)
	return banks
}

// Merge adds the values of others.
func (p *PCRs) Merge(others *PCRs) error {
	for _, bank := range others.Banks() {
		for pcr, value := range others.banks[bank] {
			if value == nil {
				continue
			}
			if err := p.Set(bank, pcr, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// A SelectedBank is the PCRs of a bank that a quote covers.
type SelectedBank struct {
	Bank compact.Algorithm
	PCRs []int // ascending
}

// AppendText appends the values as lines of `bank:index:hex`.
func (p *PCRs) AppendText(dst []byte) []byte {
	for _, bank := range p.Banks() {
		for pcr, value := range p.banks[bank] {
			if value != nil {
				dst = fmt.Appendf(dst, "%s:%d:%x\n", bank, pcr, value)
			}
		}
	}
	return dst
}

// AppendEvmctl appends the values of a bank as `evmctl ima_measurement --pcrs` reads them:
// a line for each of the 24 PCRs, by number. Those without a value are zero, as the
// format has no other way to say it.
func (p *PCRs) AppendEvmctl(dst []byte, bank compact.Algorithm) []byte {
	for pcr := range NumPCRs {
		value := p.Value(bank, pcr)
		if value == nil {
			value = make([]byte, bank.Size())
		}
		dst = fmt.Appendf(dst, "PCR-%02d: % X\n", pcr, value)
	}
	return dst
}
