package signkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/imasig"
)

// A Key is a private RSA or EC key. It is an imasig.Signer that gives the same
// signature for the same digest every time, and can be used by several goroutines.
type Key struct {
	private crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey
	public  *imasig.Key   // also says the id
}

// newKey checks that lists can be signed with a key.
func newKey(private any, name string) (*Key, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		key.Precompute()
		return withPublic(key, name)
	case *ecdsa.PrivateKey:
		return withPublic(key, name)
	}
	return nil, fmt.Errorf("%w: %T, want RSA or EC", ErrUnsupportedKey, private)
}

func withPublic(private crypto.Signer, name string) (*Key, error) {
	public, err := imasig.NewKey(private.Public(), name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupportedKey, err)
	}
	return &Key{private: private, public: public}, nil
}

// UseCertificate makes the key sign under the id that its certificate states. A
// certificate of another key is ErrKeyMismatch.
func (k *Key) UseCertificate(cert *imasig.Key) error {
	if !cert.Equal(k.private.Public()) {
		return fmt.Errorf("%s: %w (%s)", cert.Name, ErrKeyMismatch, k.public.Name)
	}
	k.public = cert
	return nil
}

// KeyID returns the id of the certificate, if one was given, else of the key.
func (k *Key) KeyID() imasig.KeyID { return k.public.ID }

// Public returns the public half, to verify with.
func (k *Key) Public() *imasig.Key { return k.public }

// Sign signs a digest: RSA as PKCS#1 v1.5 with a DigestInfo, EC as ASN.1 DER with the
// nonce of RFC 6979, so that the same list is signed alike in every run.
func (k *Key) Sign(digest []byte, alg compact.Algorithm) ([]byte, error) {
	if len(digest) != alg.Size() {
		return nil, fmt.Errorf("%d bytes of digest, %s has %d", len(digest), alg, alg.Size())
	}
	switch key := k.private.(type) {
	case *rsa.PrivateKey:
		info, err := imasig.DigestInfo(alg, digest)
		if err != nil {
			return nil, err
		}
		return rsa.SignPKCS1v15(nil, key, crypto.Hash(0), info)
	case *ecdsa.PrivateKey:
		return key.Sign(nil, digest, nonceHash(alg))
	}
	return nil, fmt.Errorf("%w: %T", ErrUnsupportedKey, k.private)
}

// nonceHash returns the hash function that makes the nonce of a deterministic ECDSA
// signature. RFC 6979 takes that of the digest; sm3, which the library does not know, has
// SHA-256 of the same size stand in. Verifiers do not see which it was.
func nonceHash(alg compact.Algorithm) crypto.Hash {
	if h, ok := hashes.CryptoHash(alg); ok {
		return h
	}
	return crypto.SHA256
}
