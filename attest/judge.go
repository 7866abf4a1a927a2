package attest

import "fmt"

// judge finds the verdict and the reasons. Audit records may be alone, without a measurement list.
func (v *verifier) judge(ok, auditAlone bool) {
	r := v.report
	switch {
	case auditAlone && r.Audit.Records == 0:
		v.nothing("the audit log has no record of a file")
	case auditAlone:
	case r.Entries == 0:
		v.nothing("the measurement list is empty")
	case len(v.values.Banks()) == 0:
		v.nothing("no PCR values were given: anybody could have made up this list")
	case !v.replay.compares():
		v.nothing("no PCR that the list names has a value")
	}
	if r.Reference.Digests == 0 {
		v.nothing("no references were given: no file is known")
	}
	if r.Verdict == Nothing {
		return
	}
	switch {
	case auditAlone:
	case !ok:
		r.Reasons = append(r.Reasons, v.whyNever()...)
	default:
		v.judgeMatched()
	}
	if r.Audit != nil {
		v.judgeAudit()
	}
	r.Verdict = Trusted
	if len(r.Reasons) > 0 {
		r.Verdict = NotTrusted
	}
}

func (v *verifier) nothing(reason string) {
	v.report.Verdict = Nothing
	v.report.Reasons = append(v.report.Reasons, reason)
}

// whyNever tells the nearest facts about a list that the PCR values do not attest.
func (v *verifier) whyNever() []string {
	reasons := []string{fmt.Sprintf("none of the %d entries, from the first on, adds up to the PCR values", v.report.Entries)}
	if v.firstWrong != "" {
		reasons = append(reasons, v.firstWrong)
	}
	for _, reg := range v.replay.Registers() {
		switch {
		case reg.Value == nil:
		case allZero(reg.Value):
			reasons = append(reasons, fmt.Sprintf("PCR %d of bank %s is zero: nothing has been measured into it", reg.PCR, reg.Bank))
		case reg.Lost && reg.After < 0:
			reasons = append(reasons, fmt.Sprintf("PCR %d of bank %s cannot be replayed from text; a binary list can", reg.PCR, reg.Bank))
		case reg.After < 0:
			reasons = append(reasons, fmt.Sprintf("PCR %d of bank %s matches nowhere", reg.PCR, reg.Bank))
		default:
			reasons = append(reasons, fmt.Sprintf("PCR %d of bank %s matches after %d entries, but not all the others do", reg.PCR, reg.Bank, reg.After))
		}
	}
	return reasons
}

// order is that of the reasons.
var order = []Class{
	WrongTemplate, BootMismatch, ListChanged, ListUnknown, ListUnsigned, BadSignature, Unknown, Violation, NotUnderstood,
}

func (v *verifier) judgeMatched() {
	r := v.report
	for pcr := range NumPCRs {
		if v.covered[pcr] && !v.replay.Strong(uint32(pcr)) {
			if v.options.AllowSHA1 {
				v.note(fmt.Sprintf("PCR %d is attested by SHA-1 alone, which was allowed", pcr))
				continue
			}
			r.Reasons = append(r.Reasons, fmt.Sprintf("PCR %d is attested by SHA-1 alone", pcr))
		}
	}
	if r.EventLog != nil {
		r.Reasons = append(r.Reasons, r.EventLog.judge()...)
	}
	attested := map[Class]int{}
	for _, f := range r.Findings {
		if f.Attested && !f.Class.good() {
			attested[f.Class]++
		}
	}
	for _, class := range order {
		if n := attested[class]; n > 0 {
			r.Reasons = append(r.Reasons, fmt.Sprintf("%d %s", n, class))
		}
	}
	if r.Boot == "missing" {
		v.note("the list has no boot_aggregate: it does not say how the machine booted")
	}
	if n := r.Entries - r.Attested; n > 0 {
		v.note(fmt.Sprintf("the last %d entries are unattested: they follow what the PCR values cover", n))
	}
	for pcr := range NumPCRs {
		if v.seen[pcr] && !v.covered[pcr] {
			v.note(fmt.Sprintf("entries for PCR %d are unattested: it has no value", pcr))
		}
	}
	v.unexplained()
}

// unexplained notes PCRs that may have been meant for measurements.
func (v *verifier) unexplained() {
	for _, pcr := range []int{11, 12, 13, 14} {
		if v.seen[pcr] {
			continue
		}
		for _, bank := range v.values.Banks() {
			if value := v.values.Value(bank, pcr); value != nil && !allZero(value) {
				v.note(fmt.Sprintf("PCR %d is not zero, and the list does not name it", pcr))
				break
			}
		}
	}
}
