package imasig

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"fmt"
	"time"

	"digestlists/compact"
	"digestlists/internal/hashes"
)

// AppendPKCS7 returns content with a PKCS#7 signature appended, named by the issuer and
// serial number of cert, which must be the certificate of the signer's key. The
// signature is verified with it before it is used.
func AppendPKCS7(content []byte, alg compact.Algorithm, signer Signer, cert *Key) ([]byte, error) {
	if cert == nil || cert.issuer == nil {
		return nil, unsupported("an appended signature needs a certificate, not only a key")
	}
	digest, err := hashes.Sum(alg, content)
	if err != nil {
		return nil, err
	}
	oid, err := signatureOID(cert, alg)
	if err != nil {
		return nil, err
	}
	sig, err := signer.Sign(digest, alg)
	if err != nil {
		return nil, err
	}
	if err := cert.VerifyDigest(alg, digest, sig); err != nil {
		return nil, err
	}
	pkcs7, err := marshalPKCS7(cert, alg, oid, sig)
	if err != nil {
		return nil, err
	}
	return joinAppended(content, pkcs7), nil
}

func signatureOID(cert *Key, alg compact.Algorithm) (asn1.ObjectIdentifier, error) {
	if _, ok := cert.public.(*ecdsa.PublicKey); !ok {
		return oidRSA, nil
	}
	oid, ok := oidECDSAWith[alg]
	if !ok {
		return nil, unsupported("appended ECDSA signature over %s: %w", alg, compact.ErrUnsupportedAlgorithm)
	}
	return oid, nil
}

// verifyPKCS7 checks a detached PKCS#7 signature over content.
func (r *Keyring) verifyPKCS7(content, der []byte, now time.Time) (*Key, error) {
	return r.verifySigner(der, now, func(alg compact.Algorithm) ([]byte, error) { return hashes.Sum(alg, content) })
}

// VerifyPKCS7 checks a detached PKCS#7 signature in DER where the digest of the content is
// at hand. A signature over a digest by another algorithm is ErrBadSignature.
func (r *Keyring) VerifyPKCS7(der []byte, alg compact.Algorithm, digest []byte, now time.Time) (*Key, error) {
	return r.verifySigner(der, now, func(signed compact.Algorithm) ([]byte, error) {
		if signed != alg {
			return nil, fmt.Errorf("%w: over a %s digest, want %s", ErrBadSignature, signed, alg)
		}
		return digest, nil
	})
}

func (r *Keyring) verifySigner(der []byte, now time.Time, sum func(compact.Algorithm) ([]byte, error)) (*Key, error) {
	signer, err := parsePKCS7(der)
	if err != nil {
		return nil, err
	}
	var candidates []*Key
	for _, key := range r.keys {
		if signer.matches(key) {
			candidates = append(candidates, key)
		}
	}
	if candidates == nil {
		return nil, &UnknownKeyError{ID: signer.name()}
	}
	digest, err := sum(signer.hash)
	if err != nil {
		return nil, err
	}
	return tryKeys(candidates, now, func(key *Key) error {
		return key.VerifyDigest(signer.hash, digest, signer.signature)
	})
}
