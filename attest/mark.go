package attest

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"slices"
)

// A mark is where a verifier stood when the list last matched: what follows may be made
// up, and is looked at again by whoever continues from there.
type mark struct {
	entries           int
	fit               fit
	registers         [NumPCRs][]register
	counts, uncovered tally
	lists, findings   int
	last              *Finding // a repetition of the entry may still replace it
	notes             int
	seen, covered     [NumPCRs]bool
	boot              string
	first             aggregate
	bootPCR, listPCR  int
	previous          previous
	firstWrong        string
}

// A fit tells whether a list begins with the entries that a state is of: each value is the
// SHA-256 of the one before, the PCR and the template digest of an entry.
type fit [sha256.Size]byte

func (f *fit) add(pcr uint32, templateDigest []byte) {
	var block [sha256.Size + 1 + 64]byte
	n := copy(block[:], f[:])
	block[n] = byte(pcr)
	n += 1 + copy(block[n+1:], templateDigest)
	*f = sha256.Sum256(block[:n])
}

// setMark is called after each entry with which the list matches.
func (v *verifier) setMark() {
	m := &v.mark
	m.entries, m.fit = v.replay.Entries(), v.fit
	for pcr, state := range v.replay.pcrs {
		if state != nil {
			m.registers[pcr] = append(m.registers[pcr][:0], state.registers...)
		}
	}
	if m.counts == nil {
		m.counts, m.uncovered = tally{}, tally{}
	}
	copyTally(m.counts, v.counts)
	copyTally(m.uncovered, v.uncovered)
	m.lists, m.findings, m.notes, m.last = len(v.report.Lists), len(v.report.Findings), len(v.report.Notes), nil
	if v.previous.finding {
		last := v.report.Findings[m.findings-1]
		m.last = &last
	}
	m.seen, m.covered = v.seen, v.covered
	m.boot, m.first, m.bootPCR, m.listPCR = v.boot, v.first, v.bootPCR, v.listPCR
	digest := append(m.previous.digest[:0], v.previous.digest...)
	m.previous = v.previous
	m.previous.digest = digest
	m.firstWrong = v.firstWrong
}

func copyTally(dst, src tally) {
	clear(dst)
	maps.Copy(dst, src)
}

// state returns what is to be kept of the verification, nil if nothing is attested.
func (v *verifier) state(quote *Quote) *State {
	m := &v.mark
	if m.entries == 0 {
		return nil
	}
	s := &savedState{
		Context: v.context(), Entries: m.entries, Fit: m.fit[:],
		Counts: m.counts, Uncovered: m.uncovered, Notes: v.report.Notes[:m.notes],
		Seen: pcrNumbers(m.seen), Covered: pcrNumbers(m.covered),
		Boot: m.boot, Aggregate: m.first.digest, BootPCR: m.bootPCR, ListPCR: m.listPCR, FirstWrong: m.firstWrong,
		Previous: savedPrevious{m.previous.pcr, m.previous.digest, m.previous.class, m.previous.finding, m.previous.list},
	}
	if m.first.digest != nil {
		s.AggregateAlgorithm = m.first.algorithm.String()
	}
	if quote != nil {
		s.Resets = &quote.Resets
	}
	for pcr, registers := range m.registers {
		for i, reg := range registers {
			b := v.replay.banks[i]
			s.Registers = append(s.Registers, savedRegister{
				PCR: pcr, Bank: b.bank.String(), Own: bytes.Clone(reg.own[:b.size]), Padded: bytes.Clone(reg.padded[:b.size]),
				Lost: reg.lost, After: reg.after,
			})
		}
	}
	findings := slices.Clone(v.report.Findings[:m.findings])
	if m.last != nil {
		findings[m.findings-1] = *m.last
	}
	s.Findings = findings
	for _, l := range v.report.Lists[:m.lists] {
		s.Lists = append(s.Lists, savedList{l, l.pcr})
	}
	s.quotePaths()
	return &State{s}
}

func pcrNumbers(set [NumPCRs]bool) []int {
	numbers := []int{}
	for pcr, in := range set {
		if in {
			numbers = append(numbers, pcr)
		}
	}
	return numbers
}
