package main

import (
	"bufio"
	"fmt"
	"io"

	"digestlists/attest"
	"digestlists/compact"
	"digestlists/internal/atomicfile"
	"digestlists/internal/command"
	"digestlists/internal/kerneltable"
	"digestlists/parsers/imalog"
)

// banks are those that TPMs have.
var banks = []compact.Algorithm{compact.SHA1, compact.SHA256, compact.SHA384, compact.SHA512, compact.SM3}

// genIMAList writes the measurement list of a kernel that has loaded the lists, and prints
// the values of its PCR.
func genIMAList(j *job) error {
	p, err := j.newPrediction()
	if err != nil {
		return err
	}
	defer p.lists.Close()
	if err := p.predict(); err != nil {
		return err
	}
	if err := j.Result(); err != nil {
		return err // the prediction would be wrong
	}
	if path := j.String("output"); path == "-" {
		return p.write(j.App.Writer)
	} else if path != "" {
		if err := atomicfile.Write(path, 0o644, p.write); err != nil {
			return err
		}
	}
	values, err := p.values()
	if err != nil {
		return err
	}
	_, err = j.App.Writer.Write(values.AppendText(nil))
	return err
}

// A prediction is the list that a kernel would have.
type prediction struct {
	*job
	*lists
	algorithm compact.Algorithm // ima_hash
	pcr       uint32
	signed    bool               // the template has signatures
	boot      *attest.PCRs       // nil for a machine without a TPM
	table     *kerneltable.Table // what is loaded
	adder     *adder
	measured  []*imalog.Measurement
}

func (j *job) newPrediction() (*prediction, error) {
	p := &prediction{job: j, pcr: uint32(j.Int("pcr")), signed: j.String("template") == "ima-sig"}
	switch {
	case j.Int("pcr") < 0 || j.Int("pcr") >= attest.NumPCRs:
		return nil, command.Usagef("--pcr %d, want 0 to %d", j.Int("pcr"), attest.NumPCRs-1)
	case !p.signed && j.String("template") != "ima-ng":
		return nil, command.Usagef("--template %q, want ima-ng or ima-sig", j.String("template"))
	}
	var err error
	if p.algorithm, err = compact.ParseAlgorithm(j.String("algorithm")); err != nil {
		return nil, command.WithCode(command.ExitUsage, fmt.Errorf("--algorithm: %w", err))
	}
	if j.IsSet("pcrs") {
		if p.boot, err = attest.ReadPCRs(j.String("pcrs"), nil); err != nil {
			return nil, err
		}
	} else {
		j.Warn("without --pcrs, boot_aggregate is that of a machine without a TPM")
	}
	// Whether they all fit into a kernel's table is not asked here.
	p.table = newTable()
	if p.lists, err = j.openLists(); err != nil {
		return nil, err
	}
	p.adder = &adder{job: j, lists: p.lists, pick: contentDigest}
	return p, nil
}

// write writes the list, as text or binary.
func (p *prediction) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	var buf []byte
	for _, m := range p.measured {
		if p.Bool("binary") {
			buf = m.AppendBinary(buf[:0])
		} else {
			buf, _ = m.AppendText(buf[:0]) // of templates that are known
			buf = append(buf, '\n')
		}
		_, _ = out.Write(buf)
	}
	return out.Flush()
}

// values returns what the PCR has then in every bank.
func (p *prediction) values() (*attest.PCRs, error) {
	zero, predicted := new(attest.PCRs), new(attest.PCRs)
	for _, bank := range banks {
		if err := zero.Set(bank, int(p.pcr), make([]byte, bank.Size())); err != nil {
			return nil, err
		}
	}
	replay := attest.NewReplay(zero, int(p.pcr))
	for _, m := range p.measured {
		replay.Add(m)
	}
	for _, r := range replay.Registers() {
		if err := predicted.Set(r.Bank, r.PCR, r.Replayed); err != nil {
			return nil, err
		}
	}
	return predicted, nil
}
