package attest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"

	"digestlists/compact"
	"digestlists/parsers/imalog"
)

// resume takes over what a state has.
func (v *verifier) resume(s *savedState, quote *Quote) error {
	if want := v.context(); !bytes.Equal(s.Context, want) {
		return fmt.Errorf("%w: it was made with other references, keys, patterns or options", ErrState)
	}
	if quote != nil && s.Resets != nil && quote.Resets != *s.Resets {
		return fmt.Errorf("%w: the TPM has been reset %d times, and %d times in the state: it is of another boot", ErrState, quote.Resets, *s.Resets)
	}
	if err := v.resumeReplay(s); err != nil {
		return err
	}
	maps.Copy(v.counts, s.Counts)
	maps.Copy(v.uncovered, s.Uncovered)
	r := v.report
	r.Findings = append(r.Findings, s.Findings...)
	v.reported = findingSize * (len(s.Findings) + len(s.Lists))
	for _, l := range s.Lists {
		l.pcr = l.PCR
		r.Lists = append(r.Lists, l.ListReport)
		if a, err := compact.ParseAlgorithm(l.Algorithm); err == nil {
			if list := v.refs.listOf(a, l.Digest); list != nil {
				v.loaded[list] = true
			}
		}
	}
	for _, text := range s.Notes {
		v.note(text)
	}
	for _, pcr := range s.Seen {
		v.seen[pcr] = true
	}
	for _, pcr := range s.Covered {
		v.covered[pcr] = true
	}
	v.boot, v.bootPCR, v.listPCR, v.firstWrong = s.Boot, s.BootPCR, s.ListPCR, s.FirstWrong
	if a, err := compact.ParseAlgorithm(s.AggregateAlgorithm); err == nil {
		v.first = aggregate{a, s.Aggregate}
	}
	p := s.Previous
	v.previous = previous{pcr: p.PCR, digest: bytes.Clone(p.Digest), class: p.Class, finding: p.Finding, list: p.List}
	if _, ok := v.replay.Attested(); ok {
		v.previous.attested = true
		copyTally(v.matched, v.counts)
	}
	v.fit = fit(s.Fit)
	if v.options.KeepState && v.previous.attested {
		v.setMark()
	}
	return nil
}

// resumeReplay sets the registers. Every bank and PCR that has values must have been
// followed from the start.
func (v *verifier) resumeReplay(s *savedState) error {
	followed := map[string]bool{}
	for _, reg := range s.Registers {
		followed[reg.Bank] = true
		bank, err := compact.ParseAlgorithm(reg.Bank)
		if err != nil {
			return err
		}
		saved := register{lost: reg.Lost, after: reg.After}
		copy(saved.own[:], reg.Own)
		copy(saved.padded[:], reg.Padded)
		v.replay.resume(reg.PCR, bank, saved)
	}
	for _, b := range v.replay.banks {
		if !followed[b.bank.String()] {
			return fmt.Errorf("%w: it does not have bank %s", ErrState, b.bank)
		}
	}
	covered := map[int]bool{}
	for _, pcr := range s.Covered {
		covered[pcr] = true
	}
	for _, pcr := range s.Seen {
		if v.replay.Covers(uint32(pcr)) != covered[pcr] {
			return fmt.Errorf("%w: PCR %d has a value in one of the two, and none in the other", ErrState, pcr)
		}
	}
	v.replay.resumed(s.Entries)
	return nil
}

// after passes over the entries that a state is of, which have to be those that it is of.
func after(s *savedState, measurements iter.Seq2[*imalog.Measurement, error]) iter.Seq2[*imalog.Measurement, error] {
	return func(yield func(*imalog.Measurement, error) bool) {
		passed := 0
		var f fit
		for m, err := range measurements {
			if err != nil || passed == s.Entries {
				if !yield(m, err) || err != nil {
					return
				}
				continue
			}
			f.add(m.PCR, m.TemplateDigest)
			passed++
			if passed == s.Entries && f != fit(s.Fit) {
				yield(nil, fmt.Errorf("%w: the list does not begin with its %d entries", ErrState, s.Entries))
				return
			}
		}
		if passed < s.Entries {
			yield(nil, fmt.Errorf("%w: the list has %d entries, the state is of %d", ErrState, passed, s.Entries))
		}
	}
}

// context is a digest of all that decides what an entry is found to be. Results of one
// context are not taken over into another.
func (v *verifier) context() []byte {
	h := newValueHash()
	h.bytes(v.refs.fingerprint())
	if keys := v.options.Keys; keys != nil {
		for _, key := range keys.ring.Keys() {
			h.text(key.Name, hex.EncodeToString(key.ID[:]), fmt.Sprint(key.CheckValidity(v.options.Now)))
		}
	}
	for _, patterns := range []*Patterns{v.options.Allow, v.options.Exclude} {
		if patterns == nil {
			h.text("none")
			continue
		}
		h.bytes(patterns.source)
	}
	h.text(fmt.Sprint(v.options.Keys != nil, v.options.ListPCR, v.options.All, v.options.IgnoreViolations))
	return h.sum()
}
