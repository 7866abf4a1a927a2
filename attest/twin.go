package attest

import (
	"bytes"

	"digestlists/parsers/imalog"
)

// isTwin reports whether the entry is the one before once more, for the PCR of digest lists.
func (v *verifier) isTwin(m *imalog.Measurement) bool {
	p := &v.previous
	understood := p.class != WrongTemplate && p.class != NotUnderstood
	return understood && p.pcr == DefaultPCR && m.PCR != DefaultPCR && (int(m.PCR) == v.listPCR || int(m.PCR) == v.bootPCR || !v.seen[m.PCR%NumPCRs]) &&
		v.options.ListPCR >= 0 && !m.Violation() && bytes.Equal(p.digest, m.TemplateDigest)
}

// mergeTwin replaces what was said about the entry before with what this one says: both
// are one file, and only for the second does the PCR tell whether the kernel knew it.
func (v *verifier) mergeTwin(m *imalog.Measurement, r result) {
	p := &v.previous
	entry := v.replay.Entries() - 1
	if p.class != r.class {
		counts := v.tally(p.pcr)
		counts[p.class]--
		counts[r.class]++
		if p.attested {
			v.matched[p.class]--
			v.matched[r.class]++
		}
	}
	if p.finding {
		v.report.Findings = v.report.Findings[:len(v.report.Findings)-1]
	}
	p.finding = v.isFinding(r)
	if p.finding {
		f := v.finding(m, r, entry)
		f.PCRs = []int{int(p.pcr), int(m.PCR)}
		v.report.Findings = append(v.report.Findings, f)
	}
	// The same content has been found to be the same list; only its class may differ.
	p.pcr = m.PCR
}
