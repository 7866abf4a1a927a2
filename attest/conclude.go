package attest

// finish draws the conclusions.
func (v *verifier) finish(e Evidence) *Report {
	quote, r := e.Quote, v.report
	var ok bool
	r.Entries = v.replay.Entries()
	r.Attested, ok = v.replay.Attested()
	r.Boot = v.boot
	if v.options.KeepState && ok {
		r.state = v.state(quote)
	}
	r.Reference = ReferenceReport{Lists: len(v.refs.lists), Digests: v.refs.Digests()}
	for _, text := range v.refs.notes {
		v.note(text)
	}
	if quote != nil {
		r.Quote = quoteReport(quote)
	} else if len(v.values.Banks()) > 0 {
		v.note("the PCR values are not quoted: they are worth as much as where they come from")
	}
	if e.EventLog != nil {
		v.eventLog(e.EventLog)
	}
	v.registers(ok)
	v.split()
	alone := e.Measurements == nil && e.Audit != nil
	if alone {
		r.Boot = "not checked"
	}
	v.judge(ok, alone)
	return r
}

func quoteReport(q *Quote) *QuoteReport {
	r := &QuoteReport{Signature: q.Signature, Clock: q.Clock, Safe: q.Safe, Resets: q.Resets, Restarts: q.Restarts, Firmware: Hex64(q.Firmware)}
	for _, s := range q.Selection {
		r.Selection = append(r.Selection, s.String())
	}
	return r
}

func (v *verifier) registers(ok bool) {
	for _, reg := range v.replay.Registers() {
		r := RegisterReport{PCR: reg.PCR, Bank: reg.Bank.String(), Value: reg.Value, Replayed: reg.Replayed, After: reg.After}
		if ok && reg.Value != nil {
			r.Matches, r.Rule, r.Replayed = true, reg.Rule, reg.Value
		}
		v.report.PCRs = append(v.report.PCRs, r)
	}
}

// split says of everything whether it is attested.
func (v *verifier) split() {
	r := v.report
	attested := func(entry, pcr int) bool { return entry <= r.Attested && v.covered[pcr%NumPCRs] }
	for i := range r.Findings {
		r.Findings[i].Attested = attested(r.Findings[i].Entry, r.Findings[i].PCRs[0])
	}
	for i := range r.Lists {
		r.Lists[i].Attested = attested(r.Lists[i].Entry, r.Lists[i].pcr)
	}
	for class, n := range v.matched {
		if n > 0 {
			r.Counts[class] = n
		}
	}
	for class, n := range v.counts {
		if rest := n - v.matched[class] + v.uncovered[class]; rest > 0 {
			r.Rest[class] += rest
		}
	}
	for class, n := range v.uncovered {
		if v.counts[class] == 0 && n > 0 {
			r.Rest[class] += n
		}
	}
}
