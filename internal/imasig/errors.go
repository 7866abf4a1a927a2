package imasig

import (
	"errors"
	"fmt"
)

// The classes of failures, for errors.Is; an unknown key is *UnknownKeyError.
var (
	// ErrNoSignature: there is nothing to verify.
	ErrNoSignature = errors.New("no signature")
	// ErrBadSignature: the key is known, and did not sign this content.
	ErrBadSignature = errors.New("bad signature")
	// ErrExpiredKey: the signature is good, but the key is not to be used at this
	// time. ErrNotYetValid and ErrRevokedKey are this error too.
	ErrExpiredKey = errors.New("expired key")
	// ErrMalformed: the bytes are not a signature, a certificate or a key.
	ErrMalformed = errors.New("malformed")
	// ErrUnsupported: well-formed, but of a kind that is not handled.
	ErrUnsupported = errors.New("unsupported")
)

// The other two ways in which a key with a good signature is out of use.
var (
	ErrNotYetValid error = &keyState{"key not yet valid"}
	ErrRevokedKey  error = &keyState{"revoked key"}
)

type keyState struct{ text string }

func (e *keyState) Error() string { return e.text }

// Is makes every state of a key that is out of use an ErrExpiredKey.
func (e *keyState) Is(target error) bool { return target == ErrExpiredKey }

// UnknownKeyError says that no key with this id is known.
type UnknownKeyError struct {
	ID string // hexadecimal: 8 digits of security.ima, 16 of OpenPGP; or what else names the key
}

func (e *UnknownKeyError) Error() string { return "unknown key " + e.ID }

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...)
}

// Reason says in a few words why a signature is not good: "no signature", "unknown key"
// with its id, "bad signature" or "expired key". ok is false for other errors, such as
// ErrMalformed.
func Reason(err error) (reason string, ok bool) {
	var unknown *UnknownKeyError
	switch {
	case errors.As(err, &unknown):
		return unknown.Error(), true
	case errors.Is(err, ErrNoSignature):
		return "no signature", true
	case errors.Is(err, ErrBadSignature):
		return "bad signature", true
	case errors.Is(err, ErrExpiredKey):
		return "expired key", true
	}
	return "", false
}
