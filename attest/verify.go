package attest

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"time"

	"digestlists/parsers/imalog"
)

// Evidence is what a machine has sent.
type Evidence struct {
	Measurements iter.Seq2[*imalog.Measurement, error]
	PCRs         *PCRs  // values without a quote, nil for none
	Quote        *Quote // nil for none; its values are then the only ones that count
}

// Options say what the evidence is compared with, and what is taken.
type Options struct {
	References *References
	Keys       *Keys     // that must have signed digest lists, and may have signed files; nil: no signature is looked at
	Now        time.Time // for the validity of keys; zero means now

	// Allow takes unknown files and buffers, which are then reported and no reason for distrust;
	// Exclude leaves files out altogether. Neither applies to digest lists and violations.
	Allow, Exclude *Patterns

	// Required PCRs must match even if no entry names them: whoever makes up a list could
	// have left all of theirs out.
	Required []int
	// ListPCR is the PCR for which the kernel measures only what no digest list has
	// (ima_digest_list_pcr=). 0 finds it out; -1 says that there is none.
	ListPCR int

	AllowSHA1        bool // take what SHA-1 alone attests
	IgnoreViolations bool // violations are reported, and no reason for distrust
}

// Verify compares evidence with references. An error means that the measurement list
// cannot be read; all else is in the report.
//
// Memory does not grow with the list, but for what the report says about entries that are
// not known.
func Verify(e Evidence, o Options) (*Report, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	v := newVerifier(e, o)
	if e.Measurements == nil {
		return v.finish(e.Quote), nil
	}
	for m, err := range e.Measurements {
		if err != nil {
			return nil, err
		}
		v.add(m)
	}
	return v.finish(e.Quote), nil
}

// verifier goes through a list once.
type verifier struct {
	options Options
	refs    *References
	values  *PCRs
	replay  *Replay
	report  *Report

	counts, matched tally // of covered entries: all, and those up to the last match
	uncovered       tally

	seen    [NumPCRs]bool
	covered [NumPCRs]bool
	boot    string
	bootPCR int // begins with a boot_aggregate
	listPCR int // see Options.ListPCR; 0: none so far
	loaded  map[*List]bool

	previous     previous
	firstWrong   string // the first template digest that does not recompute
	notesWritten map[string]bool
}

// tally counts entries by class.
type tally map[Class]int

// previous is the entry before, which the one for the PCR of digest lists repeats.
type previous struct {
	pcr      uint32
	digest   []byte
	class    Class
	finding  bool
	list     bool
	attested bool // the list matched after it
}

func newVerifier(e Evidence, o Options) *verifier {
	v := &verifier{
		options: o, refs: o.References, values: e.PCRs, report: newReport(),
		counts: tally{}, matched: tally{}, uncovered: tally{}, loaded: map[*List]bool{}, notesWritten: map[string]bool{},
		boot: "missing",
	}
	if e.Quote != nil {
		v.values = e.Quote.PCRs
	}
	if v.values == nil {
		v.values = new(PCRs)
	}
	if v.refs == nil {
		v.refs = NewReferences(nil, o.Now)
	}
	if o.ListPCR > 0 {
		v.listPCR = o.ListPCR
	}
	v.replay = NewReplay(v.values, o.Required...)
	return v
}

func (v *verifier) note(text string) {
	if !v.notesWritten[text] {
		v.notesWritten[text] = true
		v.report.Notes = append(v.report.Notes, text)
	}
}

// add takes the next entry.
func (v *verifier) add(m *imalog.Measurement) {
	matched := v.replay.Add(m)
	twin := v.isTwin(m)
	r := v.classify(m)
	if v.options.IgnoreViolations && r.class == Violation {
		r.class = Allowed
	}
	if r.class == WrongTemplate && v.firstWrong == "" {
		v.firstWrong = fmt.Sprintf("entry %d (%s) is the first whose template digest is not that of its data", v.replay.Entries(), quoteText(m.Name()))
	}
	if twin {
		v.mergeTwin(m, r)
	} else {
		v.keep(m, r)
	}
	v.seen[m.PCR%NumPCRs] = true
	v.covered[m.PCR%NumPCRs] = v.replay.Covers(m.PCR)
	v.previous.attested = matched
	if matched {
		clear(v.matched)
		maps.Copy(v.matched, v.counts)
	}
}

// isTwin reports whether the entry is the one before once more, for the PCR of digest lists.
func (v *verifier) isTwin(m *imalog.Measurement) bool {
	p := &v.previous
	understood := p.class != WrongTemplate && p.class != NotUnderstood
	return understood && p.pcr == DefaultPCR && m.PCR != DefaultPCR && (int(m.PCR) == v.listPCR || int(m.PCR) == v.bootPCR || !v.seen[m.PCR%NumPCRs]) &&
		v.options.ListPCR >= 0 && !m.Violation() && bytes.Equal(p.digest, m.TemplateDigest)
}

// keep counts an entry and notes what is to be said about it.
func (v *verifier) keep(m *imalog.Measurement, r result) {
	v.tally(m.PCR)[r.class]++
	p := &v.previous
	p.pcr, p.digest, p.class = m.PCR, append(p.digest[:0], m.TemplateDigest...), r.class
	p.list, p.finding = v.isList(r), v.isFinding(r)
	if p.list {
		v.report.Lists = append(v.report.Lists, v.listReport(m, r))
	}
	if p.finding {
		v.report.Findings = append(v.report.Findings, v.finding(m, r, v.replay.Entries()))
	}
}

func (v *verifier) tally(pcr uint32) tally {
	if v.replay.Covers(pcr) {
		return v.counts
	}
	return v.uncovered
}

func (v *verifier) isList(r result) bool {
	switch r.class {
	case KnownList, ListUnknown, ListChanged, ListUnsigned:
		return true
	}
	return false
}

func (v *verifier) isFinding(r result) bool { return !r.class.good() || r.class == Allowed }

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
	if v.isFinding(r) {
		f := v.finding(m, r, entry)
		f.PCRs = []int{int(p.pcr), int(m.PCR)}
		v.report.Findings = append(v.report.Findings, f)
	}
	// The same content has been found to be the same list; only its class may differ.
	p.pcr = m.PCR
}

func (v *verifier) finding(m *imalog.Measurement, r result, entry int) Finding {
	f := Finding{Entry: entry, PCRs: []int{int(m.PCR)}, Class: r.class, Path: m.Name(), Reason: r.reason, Near: r.near}
	if r.digest != nil {
		f.Algorithm, f.Digest = r.algorithm.String(), bytes.Clone(r.digest)
	}
	return f
}

func (v *verifier) listReport(m *imalog.Measurement, r result) ListReport {
	l := ListReport{Entry: v.replay.Entries(), Path: m.Name(), Class: r.class, SignedBy: r.signedBy, pcr: int(m.PCR)}
	if r.list != nil {
		l.Reference = r.list.Name
	}
	return l
}

// finish draws the conclusions.
func (v *verifier) finish(quote *Quote) *Report {
	r := v.report
	var ok bool
	r.Entries = v.replay.Entries()
	r.Attested, ok = v.replay.Attested()
	r.Boot = v.boot
	r.Reference = ReferenceReport{Lists: len(v.refs.lists), Digests: v.refs.Digests()}
	if quote != nil {
		r.Quote = quoteReport(quote)
	} else if len(v.values.Banks()) > 0 {
		v.note("the PCR values are not quoted: they are worth as much as where they come from")
	}
	v.registers(ok)
	v.split()
	v.judge(ok)
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

// judge finds the verdict and the reasons.
func (v *verifier) judge(ok bool) {
	r := v.report
	switch {
	case r.Entries == 0:
		v.nothing("the measurement list is empty")
	case len(v.values.Banks()) == 0:
		v.nothing("no PCR values were given: anybody could have made up this list")
	case !v.anyCovered():
		v.nothing("no PCR that the list names has a value")
	}
	if r.Reference.Digests == 0 {
		v.nothing("no references were given: no file is known")
	}
	if r.Verdict == Nothing {
		return
	}
	if !ok {
		r.Reasons = append(r.Reasons, v.whyNever()...)
	} else {
		v.judgeMatched()
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

func (v *verifier) anyCovered() bool {
	for _, reg := range v.replay.Registers() {
		if reg.Value != nil {
			return true
		}
	}
	return false
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
