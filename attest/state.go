package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"digestlists/compact"
)

// ErrState is a state that does not fit what is verified with it.
var ErrState = errors.New("state does not fit")

// A State is how far the verification of a machine has come: the part of its list that has
// been attested, and what was found in it. With Options.From, Verify continues there, and
// comes to the same report as if it had begun with the first entry.
//
// Whoever can change a state decides what has been attested. Keep it where the references are.
type State struct {
	saved *savedState
}

// Entries returns how many entries of the list the state is of.
func (s *State) Entries() int { return s.saved.Entries }

const (
	stateFormat  = "digestlists attestation state"
	stateVersion = 1
)

// stateFile is a state as JSON.
type stateFile struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	SHA256  Hex             `json:"sha256"` // of the bytes of State
	State   json.RawMessage `json:"state"`
}

type savedState struct {
	Context   Hex             `json:"context"` // see verifier.context
	Resets    *uint32         `json:"resets"`  // of the TPM; null without a quote
	Entries   int             `json:"entries"`
	Fit       Hex             `json:"fit"`
	Registers []savedRegister `json:"registers"`

	Counts             tally         `json:"counts"`
	Uncovered          tally         `json:"uncovered"`
	Lists              []savedList   `json:"lists"`
	Findings           []Finding     `json:"findings"`
	Notes              []string      `json:"notes"`
	Seen               []int         `json:"seen"`
	Covered            []int         `json:"covered"`
	Boot               string        `json:"boot"`
	Aggregate          Hex           `json:"aggregate"` // digest of the first boot_aggregate
	AggregateAlgorithm string        `json:"aggregate_algorithm"`
	BootPCR            int           `json:"boot_pcr"`
	ListPCR            int           `json:"list_pcr"`
	Previous           savedPrevious `json:"previous"`
	FirstWrong         string        `json:"first_wrong"`
}

type savedRegister struct {
	PCR    int    `json:"pcr"`
	Bank   string `json:"bank"`
	Own    Hex    `json:"own"`
	Padded Hex    `json:"padded"`
	Lost   bool   `json:"lost"`
	After  int    `json:"after"`
}

type savedPrevious struct {
	PCR     uint32 `json:"pcr"`
	Digest  Hex    `json:"digest"`
	Class   Class  `json:"class"`
	Finding bool   `json:"finding"`
	List    bool   `json:"list"`
}

type savedList struct {
	ListReport
	PCR int `json:"pcr"`
}

// quotePaths makes paths text that JSON keeps as it is: names are bytes.
func (s *savedState) quotePaths() {
	for i := range s.Findings {
		s.Findings[i].Path = strconv.QuoteToASCII(s.Findings[i].Path)
	}
	for i := range s.Lists {
		s.Lists[i].Path = strconv.QuoteToASCII(s.Lists[i].Path)
	}
}

func (s *savedState) unquotePaths() error {
	for i := range s.Findings {
		if err := unquote(&s.Findings[i].Path); err != nil {
			return err
		}
	}
	for i := range s.Lists {
		if err := unquote(&s.Lists[i].Path); err != nil {
			return err
		}
	}
	return nil
}

func unquote(path *string) error {
	plain, err := strconv.Unquote(*path)
	if err != nil {
		return fmt.Errorf("%w: path %s", ErrMalformed, quoteText(*path))
	}
	*path = plain
	return nil
}

// MarshalJSON returns the state as an object that ParseState reads.
func (s *State) MarshalJSON() ([]byte, error) {
	state, err := json.Marshal(s.saved)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(state)
	return json.Marshal(stateFile{stateFormat, stateVersion, sum[:], state})
}

// ParseState reads a state. One that is damaged is ErrMalformed, one of another version
// compact.ErrUnsupportedVersion.
func ParseState(data []byte) (*State, error) {
	var file stateFile
	if err := strictJSON(data, &file); err != nil {
		return nil, err
	}
	if file.Format != stateFormat {
		return nil, fmt.Errorf("%w: format %s, want %q", ErrMalformed, quoteText(file.Format), stateFormat)
	}
	if file.Version != stateVersion {
		return nil, fmt.Errorf("%w: state of version %d, want %d", compact.ErrUnsupportedVersion, file.Version, stateVersion)
	}
	if sum := sha256.Sum256(file.State); !bytes.Equal(sum[:], file.SHA256) {
		return nil, fmt.Errorf("%w: state with SHA-256 %x, want %x", ErrMalformed, sum, []byte(file.SHA256))
	}
	saved := new(savedState)
	if err := strictJSON(file.State, saved); err != nil {
		return nil, err
	}
	if err := saved.unquotePaths(); err != nil {
		return nil, err
	}
	if err := saved.check(); err != nil {
		return nil, err
	}
	return &State{saved}, nil
}

func strictJSON(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: state: %w", ErrMalformed, err)
	}
	if d.More() {
		return fmt.Errorf("%w: state: data after the object", ErrMalformed)
	}
	return nil
}

// check refuses numbers and sizes that no state has.
func (s *savedState) check() error {
	bad := s.Entries <= 0 || len(s.Fit) != sha256.Size || s.Counts == nil || s.Uncovered == nil ||
		!isPCR(s.BootPCR) || s.ListPCR >= NumPCRs || !isPCR(int(s.Previous.PCR))
	for _, numbers := range [][]int{s.Seen, s.Covered} {
		for _, pcr := range numbers {
			bad = bad || !isPCR(pcr)
		}
	}
	for _, reg := range s.Registers {
		bank, err := compact.ParseAlgorithm(reg.Bank)
		bad = bad || err != nil || !isPCR(reg.PCR) || len(reg.Own) != bank.Size() || len(reg.Padded) != bank.Size()
	}
	for _, f := range s.Findings {
		bad = bad || f.Entry <= 0 || f.Entry > s.Entries || len(f.PCRs) == 0 || !isPCR(f.PCRs[0])
	}
	for _, l := range s.Lists {
		bad = bad || l.Entry <= 0 || l.Entry > s.Entries || !isPCR(l.PCR)
	}
	if s.Previous.Finding && len(s.Findings) == 0 || bad {
		return fmt.Errorf("%w: state with a number or a size out of range", ErrMalformed)
	}
	return nil
}

func isPCR(n int) bool { return n >= 0 && n < NumPCRs }
