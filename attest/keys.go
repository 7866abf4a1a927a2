package attest

import (
	"time"

	"digestlists/compact"
	"digestlists/internal/imasig"
)

// Keys are the keys that IMA signatures have to be made with. The zero value trusts none.
type Keys struct {
	ring imasig.Keyring
}

// Add adds the certificates or public keys of a file, PEM or DER. Name tells in messages
// where they are from.
func (k *Keys) Add(data []byte, name string) error { return k.ring.Add(data, name) }

// verify checks the value of security.ima that an entry holds against the digest of the
// file in the same entry, and returns the name of the key.
func (k *Keys) verify(value []byte, algorithm compact.Algorithm, digest []byte, now time.Time) (string, error) {
	if value == nil {
		return "", imasig.ErrNoSignature
	}
	sig, err := imasig.Parse(value)
	if err != nil {
		return "", err
	}
	if sig.Hash != algorithm {
		return "", imasig.ErrBadSignature // the kernel verifies with the digest that it lists
	}
	key, err := k.ring.VerifyDigest(digest, sig, now)
	if err != nil {
		return "", err
	}
	return key.Name, nil
}
