package imasig

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"digestlists/internal/hashes"
)

// A Keyring is a set of trusted keys. The zero value is empty; once filled it can be used
// by several goroutines. Several keys with the same id are allowed: each is tried.
type Keyring struct {
	keys []*Key
	byID map[KeyID][]*Key
}

// Keys returns all keys in the order in which they were added.
func (r *Keyring) Keys() []*Key { return slices.Clone(r.keys) }

// Lookup returns the keys with that id.
func (r *Keyring) Lookup(id KeyID) []*Key { return slices.Clone(r.byID[id]) }

// AddKey adds a key.
func (r *Keyring) AddKey(key *Key) {
	if r.byID == nil {
		r.byID = make(map[KeyID][]*Key)
	}
	r.keys = append(r.keys, key)
	r.byID[key.ID] = append(r.byID[key.ID], key)
}

// AddCertificate adds the key of an X.509 certificate in DER, or of each one in a PEM
// file. Name tells in messages where it is from. Nothing is added if any is not good.
func (r *Keyring) AddCertificate(data []byte, name string) error {
	return r.add(data, name, ParseCertificate, map[string]parseFunc{"CERTIFICATE": ParseCertificate, "X509 CERTIFICATE": ParseCertificate})
}

// AddPublicKey adds a bare public key, or each one of a PEM file: PUBLIC KEY
// (SubjectPublicKeyInfo) or RSA PUBLIC KEY (PKCS#1). DER is taken for the first.
func (r *Keyring) AddPublicKey(data []byte, name string) error {
	return r.add(data, name, parsePublicDER, map[string]parseFunc{"PUBLIC KEY": parsePublicDER, "RSA PUBLIC KEY": parseRSADER})
}

// Add adds certificates or public keys, whichever the file holds.
func (r *Keyring) Add(data []byte, name string) error {
	either := func(der []byte, name string) (*Key, error) {
		key, err := ParseCertificate(der, name)
		if err == nil || errors.Is(err, ErrUnsupported) {
			return key, err
		}
		if key, bare := parsePublicDER(der, name); bare == nil || errors.Is(bare, ErrUnsupported) {
			return key, bare
		}
		return nil, err
	}
	return r.add(data, name, either, map[string]parseFunc{
		"CERTIFICATE": ParseCertificate, "X509 CERTIFICATE": ParseCertificate,
		"PUBLIC KEY": parsePublicDER, "RSA PUBLIC KEY": parseRSADER,
	})
}

type parseFunc func(der []byte, name string) (*Key, error)

func parsePublicDER(der []byte, name string) (*Key, error) { return parsePublicKeyInfo(der, name) }

func parseRSADER(der []byte, name string) (*Key, error) { return parseRSA(der, name) }

// add reads data as PEM blocks of the given types or, failing that, as DER.
func (r *Keyring) add(data []byte, name string, der parseFunc, blocks map[string]parseFunc) error {
	var keys []*Key
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		parse, ok := blocks[block.Type]
		if !ok {
			return fmt.Errorf("%s: %w: PEM block %q, want %s", name, ErrMalformed, block.Type, wanted(blocks))
		}
		key, err := parse(block.Bytes, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		keys = append(keys, key)
	}
	if keys == nil {
		key, err := parseOne(data, name, der)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		keys = []*Key{key}
	}
	for _, key := range keys {
		r.AddKey(key)
	}
	return nil
}

// parseOne reads DER, and tells a PEM file that is damaged from a DER file that is.
func parseOne(data []byte, name string, der parseFunc) (*Key, error) {
	switch {
	case len(data) == 0:
		return nil, malformed("empty file")
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return nil, malformed("damaged PEM block")
	}
	return der(data, name)
}

func wanted(blocks map[string]parseFunc) string {
	if _, ok := blocks["CERTIFICATE"]; !ok {
		return "a public key"
	}
	if len(blocks) > 2 {
		return "a certificate or a public key"
	}
	return "a certificate"
}

// Verify checks a signature over content and returns the key that made it. See the
// package comment for the errors.
func (r *Keyring) Verify(content []byte, sig Signature, now time.Time) (*Key, error) {
	if len(r.byID[sig.KeyID]) == 0 {
		return nil, &UnknownKeyError{ID: sig.KeyID.String()}
	}
	digest, err := hashes.Sum(sig.Hash, content)
	if err != nil {
		return nil, err
	}
	return r.VerifyDigest(digest, sig, now)
}

// VerifyDigest is Verify where the digest of the content, in the signature's hash
// algorithm, is at hand.
func (r *Keyring) VerifyDigest(digest []byte, sig Signature, now time.Time) (*Key, error) {
	candidates := r.byID[sig.KeyID]
	if len(candidates) == 0 {
		return nil, &UnknownKeyError{ID: sig.KeyID.String()}
	}
	return tryKeys(candidates, now, func(key *Key) error { return key.VerifyDigest(sig.Hash, digest, sig.Sig) })
}

// tryKeys returns the first of the candidates, of which there is at least one, that made
// the signature and is valid. Where one made it but is not valid, that is the
// result: it says more than that another one of the same id did not make it.
func tryKeys(candidates []*Key, now time.Time, verify func(*Key) error) (*Key, error) {
	var result error
	for _, key := range candidates {
		err := verify(key)
		if err == nil {
			err = key.CheckValidity(now)
			if err == nil {
				return key, nil
			}
		}
		if result == nil || errors.Is(err, ErrExpiredKey) {
			result = err
		}
	}
	return nil, result
}
