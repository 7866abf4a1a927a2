package attest

import (
	"errors"

	"digestlists/compact"
)

// The classes of errors of evidence that cannot be read, for errors.Is. They are
// those of package compact.
var (
	ErrMalformed = compact.ErrMalformed
	ErrTruncated = compact.ErrTruncated
)

// The classes of failures of a quote that can be read, for errors.Is.
var (
	ErrNotQuote  = errors.New("not a quote of a TPM")
	ErrSignature = errors.New("bad signature")
	ErrNonce     = errors.New("wrong nonce")
	ErrPCRValues = errors.New("PCR values are not those that were quoted")
	ErrWeakHash  = errors.New("SHA-1 is not trusted")
	ErrKey       = errors.New("key is not fit for quotes")
)

// ErrConflict says that two values were given for the same PCR.
var ErrConflict = errors.New("two values for one PCR")
