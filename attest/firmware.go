package attest

import (
	"bytes"
	"fmt"

	"digestlists/compact"
)

// An EventLogReport is how the firmware's log compares with what is attested.
type EventLogReport struct {
	Events int `json:"events"`
	// Boot is the PCRs that boot_aggregate is over, by the values of the log: "pcrs 0-9" or "pcrs 0-7";
	// "mismatch", or "not checked".
	Boot       string             `json:"boot_aggregate"`
	Mismatches []EventLogMismatch `json:"mismatches"`
}

// An EventLogMismatch is a PCR whose value is not that of the log.
type EventLogMismatch struct {
	PCR      int    `json:"pcr"`
	Bank     string `json:"bank"`
	Value    Hex    `json:"value"`
	Replayed Hex    `json:"replayed"`
}

// aggregate is the digest of the first boot_aggregate of a list.
type aggregate struct {
	algorithm compact.Algorithm
	digest    []byte
}

// eventLog compares the log with the values of PCRs 0 to 9, and with boot_aggregate. A log is
// attested by either.
func (v *verifier) eventLog(log *EventLog) {
	r := &EventLogReport{Events: log.Events, Boot: "not checked", Mismatches: []EventLogMismatch{}}
	v.report.EventLog = r
	compared := 0
	for _, bank := range log.PCRs.Banks() {
		for pcr := range lastBootPCR + 1 {
			value, replayed := v.values.Value(bank, pcr), log.PCRs.Value(bank, pcr)
			if value == nil {
				continue
			}
			compared++
			if !bytes.Equal(value, replayed) {
				r.Mismatches = append(r.Mismatches, EventLogMismatch{pcr, bank.String(), value, replayed})
			}
		}
	}
	if a := v.first; a.digest != nil {
		over, known, err := BootAggregate(a.algorithm, a.digest, log.PCRs)
		switch {
		case over != "":
			r.Boot = "pcrs " + over
		case known:
			r.Boot = "mismatch"
		case err != nil:
			v.note("boot_aggregate is not checked: " + err.Error())
		}
	}
	if compared == 0 && r.Boot == "not checked" {
		v.note("the event log is not attested: no PCR from 0 to 9 of its banks has a value, nor has boot_aggregate")
	}
}

// judge returns the reasons for distrust.
func (r *EventLogReport) judge() (reasons []string) {
	for _, m := range r.Mismatches {
		reasons = append(reasons, fmt.Sprintf("the event log does not add up to PCR %d of bank %s", m.PCR, m.Bank))
	}
	if r.Boot == "mismatch" {
		reasons = append(reasons, "boot_aggregate is not that of the event log")
	}
	return reasons
}
