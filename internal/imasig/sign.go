package imasig

import (
	"digestlists/compact"
	"digestlists/internal/hashes"
)

// A Signer makes signatures with a private key that it keeps, or has someone
// else keep.
type Signer interface {
	// Sign returns the signature over a digest in the given algorithm: for RSA a
	// PKCS#1 v1.5 block, for ECDSA ASN.1 DER. It can be called by several goroutines.
	Sign(digest []byte, alg compact.Algorithm) ([]byte, error)
	// KeyID returns the id under which verifiers know the key.
	KeyID() KeyID
}

// Sign signs content.
func Sign(content []byte, alg compact.Algorithm, signer Signer) (Signature, error) {
	digest, err := hashes.Sum(alg, content)
	if err != nil {
		return Signature{}, err
	}
	sig, err := signer.Sign(digest, alg)
	if err != nil {
		return Signature{}, err
	}
	return Signature{Hash: alg, KeyID: signer.KeyID(), Sig: sig}, nil
}
