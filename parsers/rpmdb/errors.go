package rpmdb

import (
	"errors"
	"fmt"

	"digestlists/compact"
)

// The classes of errors, for errors.Is.
var (
	ErrNoDatabase  = errors.New("no RPM database")
	ErrAmbiguous   = errors.New("more than one RPM database")
	ErrDamaged     = errors.New("damaged RPM database")
	ErrUnsupported = errors.New("unsupported RPM database")
	ErrChanged     = errors.New("RPM database changed while it was read")
	ErrBusy        = errors.New("RPM database is locked by another process")
)

// errStopped ends a pass when the caller wants no more headers.
var errStopped = errors.New("stopped")

// damaged is an ErrDamaged with its place: the offset in the file, in bytes, and
// what was being read there.
func damaged(offset int64, field, format string, args ...any) error {
	return &compact.FormatError{
		Offset: offset,
		Field:  field,
		Err:    fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...),
	}
}

// unsupported is the same for what is well-formed but not written by RPM.
func unsupported(offset int64, field, format string, args ...any) error {
	return &compact.FormatError{
		Offset: offset,
		Field:  field,
		Err:    fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...),
	}
}
