package attest

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"strings"

	"digestlists/compact"
	"digestlists/internal/hashes"

	"github.com/google/go-tpm/tpm2"
)

// QuoteEvidence is a quote as `tpm2_quote -m -s -o` writes it, and what it has to be
// checked with.
type QuoteEvidence struct {
	Message   []byte // TPMS_ATTEST
	Signature []byte // TPMT_SIGNATURE
	Key       *AttestationKey
	Nonce     []byte // that the verifier chose for this quote
	// Values parses the PCR values for a selection, see ReadPCRs and ParsePCRs.
	Values    func(selection []SelectedBank) (*PCRs, error)
	AllowSHA1 bool // take a quote that is signed over a SHA-1 digest
}

// A Quote is what a TPM says of its PCRs. There is none before its signature, nonce and
// PCR values have been checked.
type Quote struct {
	PCRs      *PCRs          // that were quoted, and no others
	Selection []SelectedBank // in the order of the quote
	Signature string         // scheme and hash, such as "rsassa-sha256"

	Clock    uint64 // milliseconds that the TPM has been powered, over all its life
	Safe     bool   // false: the clock may have gone back
	Resets   uint32 // of the TPM: boots and hibernations
	Restarts uint32 // of the TPM since: suspends
	Firmware uint64 // version, in the vendor's own terms
}

// maxQuoted bounds the structures of a quote, in bytes: they hold a name, a nonce and a
// digest, or one signature.
const maxQuoted = 64 << 10

// OpenQuote checks a quote and returns what it says. Errors are ErrSignature, ErrNotQuote,
// ErrNonce, ErrPCRValues and ErrWeakHash for what does not hold, ErrMalformed for what cannot
// be read, and compact.ErrUnsupportedAlgorithm for schemes and hashes that are not known.
func OpenQuote(e QuoteEvidence) (*Quote, error) {
	scheme, hash, err := e.verify()
	if err != nil {
		return nil, err
	}
	attested, info, err := parseQuote(e.Message)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(attested.ExtraData.Buffer, e.Nonce) != 1 {
		return nil, fmt.Errorf("%w: the quote has %x, want %x", ErrNonce, attested.ExtraData.Buffer, e.Nonce)
	}
	q := &Quote{
		Signature: scheme,
		Clock:     attested.ClockInfo.Clock, Safe: bool(attested.ClockInfo.Safe),
		Resets: attested.ClockInfo.ResetCount, Restarts: attested.ClockInfo.RestartCount,
		Firmware: attested.FirmwareVersion,
	}
	if q.Selection, err = parseSelection(info.PCRSelect); err != nil {
		return nil, err
	}
	values, err := e.Values(q.Selection)
	if err != nil {
		return nil, err
	}
	if q.PCRs, err = quotedValues(values, q.Selection, hash, info.PCRDigest.Buffer); err != nil {
		return nil, err
	}
	return q, nil
}

// verify checks the signature over the message, whatever that is.
func (e *QuoteEvidence) verify() (scheme string, hash compact.Algorithm, err error) {
	if len(e.Message) > maxQuoted || len(e.Signature) > maxQuoted {
		return "", 0, fmt.Errorf("%w: a quote of %d and a signature of %d bytes", ErrMalformed, len(e.Message), len(e.Signature))
	}
	sig, err := parseSignature(e.Signature)
	if err != nil {
		return "", 0, err
	}
	if sig.hash == compact.SHA1 && !e.AllowSHA1 {
		return "", 0, fmt.Errorf("%w for the signature of a quote", ErrWeakHash)
	}
	digest, err := hashes.Sum(sig.hash, e.Message)
	if err != nil {
		return "", 0, err
	}
	if err := e.Key.verify(sig, digest); err != nil {
		return "", 0, err
	}
	return sig.name(), sig.hash, nil
}

// parseQuote reads a TPMS_ATTEST that is a quote.
func parseQuote(message []byte) (*tpm2.TPMSAttest, *tpm2.TPMSQuoteInfo, error) {
	magic := []byte{0xff, 'T', 'C', 'G', 0x80, 0x18} // TPM_GENERATED_VALUE, TPM_ST_ATTEST_QUOTE
	if len(message) < len(magic) {
		return nil, nil, fmt.Errorf("%w: a quote of %d bytes", ErrTruncated, len(message))
	}
	if !bytes.HasPrefix(message, magic[:4]) {
		return nil, nil, fmt.Errorf("%w: it starts with %x, want %x, which only a TPM may sign", ErrNotQuote, message[:4], magic[:4])
	}
	if !bytes.HasPrefix(message, magic) {
		return nil, nil, fmt.Errorf("%w: it is of type %x, want %x", ErrNotQuote, message[4:6], magic[4:])
	}
	attested, err := unmarshal[tpm2.TPMSAttest](message)
	if err != nil {
		return nil, nil, fmt.Errorf("quote: %w", err)
	}
	info, err := attested.Attested.Quote()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNotQuote, err)
	}
	return attested, info, nil
}

// unmarshal reads a structure of the TPM that fills all of data.
func unmarshal[T tpm2.Marshallable, P interface {
	*T
	tpm2.Unmarshallable
}](data []byte) (*T, error) {
	v, err := tpm2.Unmarshal[T, P](data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if written := tpm2.Marshal(*v); !bytes.Equal(written, data) {
		return nil, fmt.Errorf("%w: %d bytes, of which %d belong to the structure", ErrMalformed, len(data), len(written))
	}
	return v, nil
}

// tpmAlgorithms are the numbers of the TCG algorithm registry.
var tpmAlgorithms = map[tpm2.TPMAlgID]compact.Algorithm{
	0x0004: compact.SHA1,
	0x000b: compact.SHA256,
	0x000c: compact.SHA384,
	0x000d: compact.SHA512,
	0x0012: compact.SM3,
	0x0027: compact.SHA3_256,
	0x0028: compact.SHA3_384,
	0x0029: compact.SHA3_512,
}

func tpmAlgorithm(id tpm2.TPMAlgID) (compact.Algorithm, error) {
	a, ok := tpmAlgorithms[id]
	if !ok {
		return 0, fmt.Errorf("%w: TPM hash algorithm %#04x", compact.ErrUnsupportedAlgorithm, uint16(id))
	}
	return a, nil
}

func parseSelection(list tpm2.TPMLPCRSelection) ([]SelectedBank, error) {
	var selection []SelectedBank
	for _, s := range list.PCRSelections {
		selected, err := selectBank(uint16(s.Hash), s.PCRSelect)
		if err != nil {
			return nil, err
		}
		selection = append(selection, selected)
	}
	return selection, nil
}

// selectBank reads a bit for each PCR, the lowest of the first byte for PCR 0.
func selectBank(id uint16, bits []byte) (SelectedBank, error) {
	bank, err := tpmAlgorithm(tpm2.TPMAlgID(id))
	if err != nil {
		return SelectedBank{}, err
	}
	selected := SelectedBank{Bank: bank}
	for pcr := range len(bits) * 8 {
		if bits[pcr/8]>>(pcr%8)&1 == 0 {
			continue
		}
		if pcr >= NumPCRs {
			return SelectedBank{}, fmt.Errorf("%w: PCR %d is selected, want at most %d", ErrMalformed, pcr, NumPCRs-1)
		}
		selected.PCRs = append(selected.PCRs, pcr)
	}
	return selected, nil
}

// quotedValues checks the values of the selection against the digest in the quote, and
// returns them alone.
func quotedValues(values *PCRs, selection []SelectedBank, hash compact.Algorithm, want []byte) (*PCRs, error) {
	quoted := new(PCRs)
	h, err := hashes.New(hash)
	if err != nil {
		return nil, err
	}
	for _, selected := range selection {
		for _, pcr := range selected.PCRs {
			value := values.Value(selected.Bank, pcr)
			if value == nil {
				return nil, fmt.Errorf("%w: PCR %d of bank %s is quoted and has no value", ErrPCRValues, pcr, selected.Bank)
			}
			h.Write(value)
			if err := quoted.Set(selected.Bank, pcr, value); err != nil {
				return nil, err
			}
		}
	}
	if got := h.Sum(nil); !bytes.Equal(got, want) {
		return nil, fmt.Errorf("%w: their digest is %x, the quote has %x", ErrPCRValues, got, want)
	}
	return quoted, nil
}

// String says what a quote covers, such as "sha1:0-11 sha256:0-11".
func (s SelectedBank) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", s.Bank)
	for i := 0; i < len(s.PCRs); {
		last := i
		for last+1 < len(s.PCRs) && s.PCRs[last+1] == s.PCRs[last]+1 {
			last++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, s.PCRs[i])
		if last > i {
			fmt.Fprintf(&b, "-%d", s.PCRs[last])
		}
		i = last + 1
	}
	return b.String()
}
