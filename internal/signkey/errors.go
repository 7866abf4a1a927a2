package signkey

import "errors"

// The classes of errors, for errors.Is.
var (
	// ErrWrongPassword: the key is encrypted, with another password.
	ErrWrongPassword = errors.New("wrong password")
	// ErrNeedPassword: the key is encrypted, and there is no way to get a password.
	ErrNeedPassword = errors.New("the key is encrypted and no password was given")
	// ErrUnsupportedKey: a private key, but not one that lists can be signed with.
	ErrUnsupportedKey = errors.New("unsupported key")
	// ErrNotPrivateKey: not a private key, or not an undamaged one.
	ErrNotPrivateKey = errors.New("not a private key")
	// ErrKeyMismatch: the certificate is of another key.
	ErrKeyMismatch = errors.New("the certificate does not belong to the key")
	// ErrCommand: the outside signer failed, or returned no good signature.
	ErrCommand = errors.New("signing command")
	// ErrNoTerminal: there is no terminal to ask for a password on.
	ErrNoTerminal = errors.New("no terminal to ask for a password")
)
