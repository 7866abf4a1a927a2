package attest

import (
	"bytes"
	"crypto/sha1"

	"digestlists/compact"
	"digestlists/parsers/imalog"
)

// A Rule says what of an entry a bank is extended with.
type Rule string

// The rules.
const (
	RuleOwn    Rule = "own hash"     // the template data, hashed with the bank's algorithm
	RulePadded Rule = "padded SHA-1" // their SHA-1, padded with zeros: Linux before 5.8
)

// A Replay extends the entries of a measurement list into PCRs as the kernel did, and
// compares with their values after each entry. Every bank is followed by both rules.
type Replay struct {
	values *PCRs
	banks  []*bankHash
	pcrs   [NumPCRs]*pcrState

	entries  int
	mismatch int // registers that do not have their values now
	matched  int // entries after which all had their values; -1: never
	rules    map[compact.Algorithm]Rule

	hasher *hasher // for Add
	entry  entry   // the same
}

// pcrState is a PCR in all banks.
type pcrState struct {
	registers []register // of each of Replay.banks
}

// register is a PCR in one bank.
type register struct {
	own, padded [compact.MaxDigestSize]byte
	lost        bool // an entry could not be hashed: own is not known any more
	value       []byte
	matches     Rule // by which the register has its value now; empty if it has not
	after       int  // entries after which it last had; -1: never
}

// NewReplay returns a replay that compares with values. PCRs in required must have
// their values even if no entry names them; so must DefaultPCR if its value is not zero.
func NewReplay(values *PCRs, required ...int) *Replay {
	r := &Replay{values: values, matched: -1}
	for _, bank := range values.Banks() {
		r.addBank(bank)
	}
	if len(r.banks) == 0 { // nothing to compare with, but the results may be of use
		r.addBank(compact.SHA1)
		r.addBank(compact.SHA256)
	}
	r.hasher = r.newHasher()
	for _, b := range r.banks {
		if v := values.Value(b.bank, DefaultPCR); v != nil && !allZero(v) && r.pcrs[DefaultPCR] == nil {
			r.use(DefaultPCR)
		}
	}
	for _, pcr := range required {
		if pcr >= 0 && pcr < NumPCRs && r.pcrs[pcr] == nil {
			r.use(pcr)
		}
	}
	return r
}

// addBank adds a bank, unless its algorithm cannot be computed.
func (r *Replay) addBank(bank compact.Algorithm) {
	if b, err := newBankHash(bank); err == nil {
		r.banks = append(r.banks, b)
	}
}

// use starts to follow a PCR. It was zero until now, so that it cannot have matched
// before if its value is another one.
func (r *Replay) use(pcr int) *pcrState {
	state := &pcrState{registers: make([]register, len(r.banks))}
	r.pcrs[pcr] = state
	for i, b := range r.banks {
		reg := &state.registers[i]
		reg.value, reg.after = r.values.Value(b.bank, pcr), -1
		if reg.value == nil {
			continue
		}
		r.mismatch++
		r.compare(reg, b.size)
		if reg.matches == "" {
			r.matched = -1
		}
	}
	return state
}

// resume sets a register of an earlier replay, which must come before all entries. After is
// the entry that extended it last.
func (r *Replay) resume(pcr int, bank compact.Algorithm, saved register) {
	state := r.pcrs[pcr]
	if state == nil {
		state = r.use(pcr)
	}
	for i, b := range r.banks {
		if b.bank != bank {
			continue
		}
		reg := &state.registers[i]
		reg.own, reg.padded, reg.lost, reg.after = saved.own, saved.padded, saved.lost, -1
		if reg.value == nil {
			return
		}
		r.compare(reg, b.size)
		if reg.matches != "" {
			reg.after = saved.after
		}
	}
}

// resumed is called when all registers are set: they are those after so many entries.
func (r *Replay) resumed(entries int) {
	r.entries, r.matched = entries, -1
	if r.mismatch == 0 {
		r.matched = entries
		r.noteRules()
	}
}

// Add replays an entry, and reports whether all PCRs now have their values.
func (r *Replay) Add(m *imalog.Measurement) (matched bool) {
	r.entry.Measurement = *m
	r.hasher.hash(&r.entry)
	return r.extend(&r.entry)
}

// extend replays an entry that the hasher has seen.
func (r *Replay) extend(e *entry) (matched bool) {
	state := r.pcrs[e.PCR%NumPCRs]
	if state == nil {
		state = r.use(int(e.PCR % NumPCRs))
	}
	r.entries++
	for i, b := range r.banks {
		reg := &state.registers[i]
		b.extend(reg, e, e.bank(i))
		if reg.value != nil {
			r.compare(reg, b.size)
		}
	}
	if r.mismatch > 0 {
		return false
	}
	r.matched = r.entries
	r.noteRules()
	return true
}

// compare sets what the register matches by, and keeps the count of mismatches.
func (r *Replay) compare(reg *register, size int) {
	var now Rule
	switch {
	case !reg.lost && bytes.Equal(reg.own[:size], reg.value):
		now = RuleOwn
	case size != sha1.Size && bytes.Equal(reg.padded[:size], reg.value):
		now = RulePadded
	}
	switch {
	case now != "" && reg.matches == "":
		r.mismatch--
	case now == "" && reg.matches != "":
		r.mismatch++
	}
	reg.matches = now
	if now != "" {
		reg.after = r.entries
	}
}

// noteRules keeps the rules by which the banks match now.
func (r *Replay) noteRules() {
	if r.rules == nil {
		r.rules = make(map[compact.Algorithm]Rule, len(r.banks))
	}
	for i, b := range r.banks {
		for _, state := range r.pcrs {
			// A register that no entry has extended yet says nothing.
			if state == nil || state.registers[i].value == nil || state.registers[i].own == zeros {
				continue
			}
			r.rules[b.bank] = state.registers[i].matches
			if state.registers[i].matches == RulePadded {
				break // the weaker one is what counts
			}
		}
	}
}

// Entries returns how many entries were added.
func (r *Replay) Entries() int { return r.entries }

// Attested returns how many entries, from the start of the list, the PCR values attest.
// ok is false if the list has not matched them anywhere, or names no PCR that has a value.
func (r *Replay) Attested() (entries int, ok bool) {
	if r.matched <= 0 || !r.compares() {
		return 0, false
	}
	return r.matched, true
}

// compares reports whether any PCR that is followed has a value.
func (r *Replay) compares() bool {
	for pcr := range uint32(NumPCRs) {
		if r.Covers(pcr) {
			return true
		}
	}
	return false
}

// Covers reports whether the PCR has a value in any bank, so that entries for it are
// attested.
func (r *Replay) Covers(pcr uint32) bool {
	state := r.pcrs[pcr%NumPCRs]
	if state == nil {
		return false
	}
	for i := range state.registers {
		if state.registers[i].value != nil {
			return true
		}
	}
	return false
}

// Strong reports whether a bank other than SHA-1 attests the entries of a PCR by its own
// hash. It is to be asked after a match.
func (r *Replay) Strong(pcr uint32) bool {
	state := r.pcrs[pcr%NumPCRs]
	if state == nil {
		return false
	}
	for i, b := range r.banks {
		if b.bank != compact.SHA1 && b.bank != compact.MD5 && state.registers[i].value != nil && r.rules[b.bank] == RuleOwn {
			return true
		}
	}
	return false
}

// A Register is how the replay of a PCR in one bank compares with its value.
type Register struct {
	PCR      int
	Bank     compact.Algorithm
	Value    []byte // that was given
	Replayed []byte // after all entries
	Rule     Rule   // by which the list matched
	After    int    // entries after which Replayed last was Value; -1: never
	Lost     bool   // an entry could not be hashed, see Measurement.Data
}

// Registers returns all PCRs that are compared, in order of PCR and bank.
func (r *Replay) Registers() []Register {
	var all []Register
	for pcr, state := range r.pcrs {
		if state == nil {
			continue
		}
		for i, b := range r.banks {
			reg := &state.registers[i]
			out := Register{PCR: pcr, Bank: b.bank, Value: reg.value, After: reg.after, Lost: reg.lost}
			out.Replayed = bytes.Clone(reg.own[:b.size])
			if reg.value != nil && reg.after >= 0 {
				out.Rule = RuleOwn
				if rule, ok := r.rules[b.bank]; ok {
					out.Rule = rule
				}
			}
			all = append(all, out)
		}
	}
	return all
}
