package attest

import (
	"errors"
	"fmt"
	"io/fs"

	"digestlists/compact"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// isTPM tells what ReadPCRs reads from a TPM: a device, or the socket of a software TPM.
func isTPM(mode fs.FileMode) bool { return mode&(fs.ModeDevice|fs.ModeSocket) != 0 }

// readTPM reads all PCRs of all banks of a TPM.
func readTPM(path string, mode fs.FileMode) (_ *PCRs, err error) {
	open := linuxtpm.Open
	if mode&fs.ModeSocket != 0 {
		open = linuxudstpm.Open
	}
	tpm, err := open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tpm.Close()) }()
	// Values that are read one after the other belong together if none was extended meanwhile.
	const attempts = 5
	for range attempts {
		pcrs, steady, err := readBanks(tpm)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if steady {
			return pcrs, nil
		}
	}
	return nil, fmt.Errorf("%s: PCRs are extended all the time", path)
}

// readBanks is steady if the TPM's count of changes has stayed the same.
func readBanks(tpm transport.TPM) (pcrs *PCRs, steady bool, err error) {
	allocated, err := tpm2.GetCapability{Capability: tpm2.TPMCapPCRs, PropertyCount: 1}.Execute(tpm)
	if err != nil {
		return nil, false, err
	}
	banks, err := allocated.CapabilityData.Data.AssignedPCR()
	if err != nil {
		return nil, false, err
	}
	r := &pcrReader{tpm: tpm, pcrs: new(PCRs), steady: true}
	for _, bank := range banks.PCRSelections {
		selected, err := selectBank(uint16(bank.Hash), bank.PCRSelect)
		if errors.Is(err, compact.ErrUnsupportedAlgorithm) {
			continue // no list was extended into it as far as can be told
		}
		if err != nil {
			return nil, false, err
		}
		if err := r.bank(bank.Hash, selected); err != nil {
			return nil, false, err
		}
	}
	if len(r.pcrs.banks) == 0 {
		return nil, false, fmt.Errorf("%w: a TPM without PCR banks", ErrMalformed)
	}
	return r.pcrs, r.steady, nil
}

// pcrReader reads PCRs one by one: a TPM answers with as many as it likes.
type pcrReader struct {
	tpm     transport.TPM
	pcrs    *PCRs
	counter uint32 // of changes, after the first PCR
	started bool
	steady  bool
}

func (r *pcrReader) bank(id tpm2.TPMIAlgHash, selected SelectedBank) error {
	for _, pcr := range selected.PCRs {
		bits := make([]byte, 3)
		bits[pcr/8] = 1 << (pcr % 8)
		answer, err := tpm2.PCRRead{PCRSelectionIn: tpm2.TPMLPCRSelection{
			PCRSelections: []tpm2.TPMSPCRSelection{{Hash: id, PCRSelect: bits}},
		}}.Execute(r.tpm)
		if err != nil {
			return err
		}
		if len(answer.PCRValues.Digests) != 1 {
			return fmt.Errorf("%w: %d values for PCR %d of bank %s", ErrMalformed, len(answer.PCRValues.Digests), pcr, selected.Bank)
		}
		if r.started && answer.PCRUpdateCounter != r.counter {
			r.steady = false
		}
		r.counter, r.started = answer.PCRUpdateCounter, true
		if err := r.pcrs.Set(selected.Bank, pcr, answer.PCRValues.Digests[0].Buffer); err != nil {
			return err
		}
	}
	return nil
}
