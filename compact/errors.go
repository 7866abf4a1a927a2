package compact

import (
	"errors"
	"fmt"
	"io"
)

// The classes of errors, for errors.Is. The packages below parsers, and attest, have the same.
var (
	ErrTruncated            = fmt.Errorf("truncated: %w", io.ErrUnexpectedEOF) // the input ends too early
	ErrTooLarge             = errors.New("too large")                          // a size beyond the format's limits
	ErrMalformed            = errors.New("malformed")                          // what the format does not allow
	ErrUnsupportedVersion   = errors.New("unsupported version")
	ErrUnsupportedType      = errors.New("unsupported type")
	ErrUnsupportedModifier  = errors.New("unsupported modifier")
	ErrUnsupportedAlgorithm = errors.New("unsupported algorithm")
)

// A FormatError says where a list is wrong.
type FormatError struct {
	Offset int64  // in bytes from the start of the input, of the field below
	Field  string // what was being read, such as "header" or "digest 3 of 5"
	Err    error  // one of the classes above, with what was found and expected
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("offset %d: %s: %v", e.Offset, e.Field, e.Err)
}

// Unwrap returns the class of the error.
func (e *FormatError) Unwrap() error { return e.Err }
