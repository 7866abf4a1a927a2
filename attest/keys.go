package attest

import "digestlists/internal/imasig"

// Keys are the keys that IMA signatures have to be made with. The zero value trusts none.
type Keys struct {
	ring imasig.Keyring
}

// Add adds the certificates or public keys of a file, PEM or DER. Name tells in messages
// where they are from.
func (k *Keys) Add(data []byte, name string) error { return k.ring.Add(data, name) }
