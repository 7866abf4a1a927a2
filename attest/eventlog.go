package attest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"digestlists/compact"

	"github.com/google/go-tpm/tpm2"
)

// An EventLog is what the firmware and boot loader say that they have extended into
// PCRs before the kernel. Linux has it in /sys/kernel/security/tpm0/binary_bios_measurements.
//
// Nothing in it is worth anything before its values are those of a quote, or of the
// boot_aggregate in a list that is attested.
type EventLog struct {
	Events int
	PCRs   *PCRs // that the events add up to, in every bank; of PCRs 0 to 9 all
}

// Types of events and the signatures of two that extend nothing. Source: TCG PC Client
// Platform Firmware Profile Specification, sections "Event Descriptions", "Specification
// ID Version Event" and "Startup Locality Event".
const (
	eventNoAction   = 3
	specSignature   = "Spec ID Event03\x00"
	localitySigns   = "StartupLocality\x00"
	maxEventDigests = 16
	lastBootPCR     = 9
)

// ParseEventLog reads a log in either of its two forms: with a SHA-1 digest for each event, or
// (crypto-agile) with a digest for each bank, and replays it. All numbers are
// little-endian:
//
//	u32 PCR, u32 type, 20 bytes of SHA-1, u32 size, event
//	u32 PCR, u32 type, u32 count, count times u16 TPM algorithm and digest, u32 size, event
//
// The first event is always of the first form; in a crypto-agile log it lists the
// algorithms and the sizes of their digests. Those that are not known are passed over; a log
// with no other is compact.ErrUnsupportedAlgorithm, and anything wrong in it ErrMalformed or
// ErrTruncated.
func ParseEventLog(data []byte) (*EventLog, error) {
	p := &eventParser{in: data, banks: []eventBank{newEventBank(compact.SHA1, compact.SHA1.Size())}}
	for len(p.in) > 0 {
		at := len(data) - len(p.in)
		if err := p.event(); err != nil {
			return nil, fmt.Errorf("event %d at offset %d: %w", p.log.Events+1, at, err)
		}
		p.log.Events++
	}
	if p.log.Events == 0 {
		return nil, fmt.Errorf("%w: an empty event log", ErrTruncated)
	}
	return p.finish()
}

// eventParser takes events from the start of in.
type eventParser struct {
	in    []byte
	log   EventLog
	agile map[tpm2.TPMAlgID]int // numbers of banks; nil in the form with SHA-1
	sizes []int                 // of the digests in it, by bank
	banks []eventBank
}

// eventBank replays a bank.
type eventBank struct {
	hash *bankHash // nil: of an algorithm that cannot be computed
	pcrs [NumPCRs][compact.MaxDigestSize]byte
	used [NumPCRs]bool
}

func newEventBank(a compact.Algorithm, size int) (b eventBank) {
	if h, err := newBankHash(a); err == nil && h.size == size {
		b.hash = h
	}
	return b
}

func (p *eventParser) take(n uint32, what string) ([]byte, error) {
	if uint64(n) > uint64(len(p.in)) {
		return nil, fmt.Errorf("%w: %s of %d bytes with %d left", ErrTruncated, what, n, len(p.in))
	}
	b := p.in[:n]
	p.in = p.in[n:]
	return b, nil
}

func (p *eventParser) uint32(what string) (uint32, error) {
	b, err := p.take(4, what)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (p *eventParser) event() error {
	pcr, err := p.uint32("PCR")
	if err != nil {
		return err
	}
	kind, err := p.uint32("type")
	if err != nil {
		return err
	}
	// An event that extends nothing may name no PCR.
	if pcr >= NumPCRs && kind != eventNoAction {
		return fmt.Errorf("%w: PCR %d, want 0 to %d", ErrMalformed, pcr, NumPCRs-1)
	}
	digests, err := p.digests()
	if err != nil {
		return err
	}
	size, err := p.uint32("size")
	if err != nil {
		return err
	}
	content, err := p.take(size, "event")
	if err != nil {
		return err
	}
	if kind == eventNoAction {
		return p.noAction(content)
	}
	for i := range p.banks {
		if b := &p.banks[i]; b.hash != nil {
			b.hash.chain(&b.pcrs[pcr], digests[i], 0)
			b.used[pcr] = true
		}
	}
	return nil
}

// digests returns one for each of p.banks.
func (p *eventParser) digests() ([][]byte, error) {
	if p.agile == nil {
		digest, err := p.take(uint32(compact.SHA1.Size()), "digest")
		return [][]byte{digest}, err
	}
	count, err := p.uint32("number of digests")
	if err != nil {
		return nil, err
	}
	if int64(count) != int64(len(p.banks)) {
		return nil, fmt.Errorf("%w: %d digests, the first event has %d algorithms", ErrMalformed, count, len(p.banks))
	}
	digests := make([][]byte, count)
	for range count {
		id, err := p.take(2, "algorithm")
		if err != nil {
			return nil, err
		}
		number, ok := p.agile[tpm2.TPMAlgID(binary.LittleEndian.Uint16(id))]
		if !ok || digests[number] != nil {
			return nil, fmt.Errorf("%w: a digest of algorithm %#04x, want one of each in the first event", ErrMalformed, binary.LittleEndian.Uint16(id))
		}
		if digests[number], err = p.take(uint32(p.sizes[number]), "digest"); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

// noAction takes what two events say about those that follow.
func (p *eventParser) noAction(content []byte) error {
	if rest, ok := bytes.CutPrefix(content, []byte(specSignature)); ok && p.log.Events == 0 {
		return p.specification(rest)
	}
	// The locality that started the TPM is the start of PCR 0.
	if rest, ok := bytes.CutPrefix(content, []byte(localitySigns)); ok && len(rest) == 1 {
		for i := range p.banks {
			if b := &p.banks[i]; b.hash != nil {
				if b.used[0] {
					return fmt.Errorf("%w: the startup locality after an event of PCR 0", ErrMalformed)
				}
				b.pcrs[0][b.hash.size-1] = rest[0]
			}
		}
	}
	return nil
}

// specification reads the algorithms: after 8 bytes of versions a u32 count, and so many times u16
// algorithm and u16 size; what the vendor adds does not matter.
func (p *eventParser) specification(rest []byte) error {
	const versions = 8
	if len(rest) < versions+4 {
		return fmt.Errorf("%w: a specification event of %d bytes", ErrTruncated, len(rest))
	}
	count := binary.LittleEndian.Uint32(rest[versions:])
	rest = rest[versions+4:]
	if count == 0 || count > maxEventDigests || len(rest) < 4*int(count) {
		return fmt.Errorf("%w: %d algorithms in %d bytes, want 1 to %d", ErrMalformed, count, len(rest), maxEventDigests)
	}
	p.agile, p.banks, p.sizes = make(map[tpm2.TPMAlgID]int), nil, nil
	for i := range int(count) {
		id, size := tpm2.TPMAlgID(binary.LittleEndian.Uint16(rest[4*i:])), int(binary.LittleEndian.Uint16(rest[4*i+2:]))
		a := tpmAlgorithms[id] // 0, which is md4, has no hash
		if _, twice := p.agile[id]; twice || a != 0 && size != a.Size() {
			return fmt.Errorf("%w: algorithm %#04x with %d bytes, or twice", ErrMalformed, uint16(id), size)
		}
		p.agile[id] = i
		p.banks, p.sizes = append(p.banks, newEventBank(a, size)), append(p.sizes, size)
	}
	return nil
}

func (p *eventParser) finish() (*EventLog, error) {
	p.log.PCRs = new(PCRs)
	for i := range p.banks {
		b := &p.banks[i]
		if b.hash == nil {
			continue
		}
		for pcr := range NumPCRs {
			if pcr > lastBootPCR && !b.used[pcr] {
				continue
			}
			if err := p.log.PCRs.Set(b.hash.bank, pcr, b.pcrs[pcr][:b.hash.size]); err != nil {
				return nil, err
			}
		}
	}
	if len(p.log.PCRs.banks) == 0 {
		return nil, fmt.Errorf("%w: an event log of no bank that is known", compact.ErrUnsupportedAlgorithm)
	}
	return &p.log, nil
}
