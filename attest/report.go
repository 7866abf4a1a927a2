package attest

import (
	"encoding/hex"
	"strconv"
)

// A Verdict is the answer to whether a machine has run nothing but known files.
type Verdict string

// The verdicts.
const (
	Trusted    Verdict = "trusted"
	NotTrusted Verdict = "not trusted"
	// Nothing: there is nothing to compare with, so that nothing is known.
	Nothing Verdict = "nothing to compare with"
)

// A Class is what an entry of a measurement list turned out to be.
type Class string

// The classes. All from Unknown on keep a machine from being trusted.
const (
	Known     Class = "known"          // a reference has the digest
	Signed    Class = "signed"         // no reference has it, but one of the keys signed the file
	KnownList Class = "known list"     // a digest list of the operator's
	Boot      Class = "boot aggregate" // the entry that a list begins with
	Excluded  Class = "excluded"       // by Options.Exclude: not looked at
	Allowed   Class = "allowed"        // unknown, but in Options.Allow

	Unknown       Class = "unknown"        // no reference has the digest
	BadSignature  Class = "bad signature"  // one of the keys did not sign the file as it says
	Violation     Class = "violation"      // the file may have been another than was measured
	ListUnknown   Class = "list unknown"   // a digest list that is none of the operator's
	ListChanged   Class = "list changed"   // one that has the name of the operator's, and other content
	ListUnsigned  Class = "list unsigned"  // the operator's, without the signature that is required
	BootMismatch  Class = "boot mismatch"  // boot_aggregate is not that of the PCRs
	WrongTemplate Class = "wrong template" // the template digest is not that of the entry
	NotUnderstood Class = "not understood" // of a template that holds nothing that is known
	KernelRefused Class = "refused"        // by the kernel's appraisal, as an audit record says
)

// good reports whether a class is no reason for distrust.
func (c Class) good() bool {
	switch c {
	case Known, Signed, KnownList, Boot, Excluded, Allowed:
		return true
	}
	return false
}

// A Report is the result of Verify. As JSON it is what docs/attestation.md describes.
type Report struct {
	Verdict Verdict  `json:"verdict"`
	Reasons []string `json:"reasons"` // for a verdict other than trusted, the weightiest first
	Notes   []string `json:"notes"`   // what else is to be known

	Entries  int `json:"entries"`  // of the measurement list
	Attested int `json:"attested"` // of them, from the first one on, by the PCR values

	Quote     *QuoteReport     `json:"quote"` // null without a quote
	PCRs      []RegisterReport `json:"pcrs"`
	Boot      string           `json:"boot_aggregate"` // "pcrs 0-9", "pcrs 0-7", "mismatch", "not checked" or "missing"
	Lists     []ListReport     `json:"lists"`          // digest lists that the machine measured
	Counts    map[Class]int    `json:"counts"`         // of the attested part
	Rest      map[Class]int    `json:"unattested"`     // of what follows it, or is for PCRs without a value
	Findings  []Finding        `json:"findings"`       // what is not known or, with Options.All, every entry, in the order of the list
	Reference ReferenceReport  `json:"references"`
	EventLog  *EventLogReport  `json:"event_log"` // null without one
	Audit     *AuditReport     `json:"audit"`     // null without audit records

	state *State
}

// State returns what Options.From takes to continue from here. It is nil without
// Options.KeepState, and where nothing is attested.
func (r *Report) State() *State { return r.state }

// A QuoteReport is what a quote said.
type QuoteReport struct {
	Signature string   `json:"signature"`
	Selection []string `json:"selection"`
	Clock     uint64   `json:"clock_ms"`
	Safe      bool     `json:"clock_safe"`
	Resets    uint32   `json:"resets"`
	Restarts  uint32   `json:"restarts"`
	Firmware  Hex64    `json:"firmware"`
}

// A RegisterReport is how a PCR compares with the list.
type RegisterReport struct {
	PCR      int    `json:"pcr"`
	Bank     string `json:"bank"`
	Value    Hex    `json:"value"` // null if it was not given
	Replayed Hex    `json:"replayed"`
	Matches  bool   `json:"matches"`
	After    int    `json:"after"` // entries after which the replay last had the value; -1: never
	Rule     Rule   `json:"rule,omitempty"`
}

// A ListReport is a digest list that the machine measured.
type ListReport struct {
	Entry     int    `json:"entry"`
	Path      string `json:"path"`
	Class     Class  `json:"class"`
	Reference string `json:"reference,omitempty"` // name of the operator's list
	SignedBy  string `json:"signed_by,omitempty"`
	Attested  bool   `json:"attested"`
	Algorithm string `json:"algorithm"`
	Digest    Hex    `json:"digest"` // of the list's file

	pcr int
}

// A Finding is an entry that needs attention, or that is in Options.Allow; with Options.All,
// any entry.
type Finding struct {
	Entry     int    `json:"entry"` // number in the list, from 1
	PCRs      []int  `json:"pcrs"`
	Class     Class  `json:"class"`
	Path      string `json:"path"`
	Algorithm string `json:"algorithm,omitempty"`
	Digest    Hex    `json:"digest"`
	Reason    string `json:"reason"`
	Near      *Near  `json:"near,omitempty"` // the reference that nearly matches
	Attested  bool   `json:"attested"`

	Known    *Origin `json:"known,omitempty"`     // the reference that has the digest
	SignedBy string  `json:"signed_by,omitempty"` // one of the keys
}

// Good reports whether the entry is no reason for distrust.
func (f *Finding) Good() bool { return f.Class.good() }

// An Origin is the reference that a digest is known from.
type Origin struct {
	List      string `json:"list"`
	Type      string `json:"type,omitempty"` // what the digest is of, where it is in the list
	Modifiers string `json:"modifiers,omitempty"`
	Package   bool   `json:"package,omitempty"` // the list was made from a package
}

// Near is a reference for the same path with another digest.
type Near struct {
	List      string `json:"list"`
	Algorithm string `json:"algorithm"`
	Digest    Hex    `json:"digest"`
}

// A ReferenceReport is how much there was to compare with.
type ReferenceReport struct {
	Lists   int `json:"lists"`
	Digests int `json:"digests"`
}

// Hex is bytes that are hexadecimal digits in JSON, and null where there are none.
type Hex []byte

// MarshalText returns the digits.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// MarshalJSON returns the digits in quotes, or null.
func (h Hex) MarshalJSON() ([]byte, error) {
	if h == nil {
		return []byte("null"), nil
	}
	return append(hex.AppendEncode([]byte{'"'}, h), '"'), nil
}

// UnmarshalText reads what MarshalText returns.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(Hex{}, text)
	return err
}

// Hex64 is a number whose 16 hexadecimal digits mean more than its value.
type Hex64 uint64

// MarshalText returns the digits.
func (h Hex64) MarshalText() ([]byte, error) {
	b := []byte{byte(h >> 56), byte(h >> 48), byte(h >> 40), byte(h >> 32), byte(h >> 24), byte(h >> 16), byte(h >> 8), byte(h)}
	return hex.AppendEncode(nil, b), nil
}

// UnmarshalText reads what MarshalText returns.
func (h *Hex64) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	*h = Hex64(n)
	return err
}

// Refused returns the report for a quote that does not hold: nothing else is looked at.
func Refused(err error) *Report {
	r := newReport()
	r.Verdict, r.Reasons = NotTrusted, []string{err.Error()}
	r.Boot = "not checked"
	return r
}

func newReport() *Report {
	return &Report{
		Reasons: []string{}, Notes: []string{}, PCRs: []RegisterReport{}, Lists: []ListReport{},
		Counts: map[Class]int{}, Rest: map[Class]int{}, Findings: []Finding{},
	}
}
