package attest

import (
	"errors"
	"fmt"

	"digestlists/compact"
)

// The classes of errors of evidence that cannot be read, for errors.Is. They are
// those of package compact.
var (
	ErrMalformed = compact.ErrMalformed
	ErrTruncated = compact.ErrTruncated
	ErrTooLarge  = compact.ErrTooLarge
)

// ErrQuote is a quote that can be read and does not hold. The other errors here say why,
// and are this error too.
var (
	ErrQuote     = errors.New("quote refused")
	ErrNotQuote  = fmt.Errorf("%w: not a quote of a TPM", ErrQuote)
	ErrSignature = fmt.Errorf("%w: bad signature", ErrQuote)
	ErrNonce     = fmt.Errorf("%w: wrong nonce", ErrQuote)
	ErrPCRValues = fmt.Errorf("%w: PCR values are not those that were quoted", ErrQuote)
	ErrWeakHash  = fmt.Errorf("%w: SHA-1 is not trusted", ErrQuote)
)

// ErrKey is a key that quotes may not be signed with.
var ErrKey = errors.New("key is not fit for quotes")

// ErrConflict says that two values were given for the same PCR.
var ErrConflict = errors.New("two values for one PCR")
