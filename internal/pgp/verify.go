package pgp

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"time"

	//lint:ignore SA1019 packages of CentOS 2 to 5 are signed with it, and only verified here
	"crypto/dsa"

	"digestlists/compact"
	"digestlists/internal/hashes"
	"digestlists/internal/imasig"

	"github.com/ProtonMail/go-crypto/openpgp/ecdsa"
	"github.com/ProtonMail/go-crypto/openpgp/ed25519"
	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
)

// Verify checks the vendors' signature packets over content, which for an `rpm` list is
// all of it, and returns the key that made the first good one. Of several, as RPM 6 has
// them, one good signature is enough, but one that is bad or malformed is the result
// whatever the others are. An error of the class imasig.ErrExpiredKey is only returned when
// the signature itself is good.
func (r *Keyring) Verify(content, signatures []byte, now time.Time) (*Key, error) {
	packets, err := Split(signatures)
	if err != nil {
		return nil, err
	}
	var good *Key
	problem := imasig.ErrNoSignature
	for i, packet := range packets {
		key, err := r.verifyPacket(content, packet, now)
		switch {
		case errors.Is(err, imasig.ErrBadSignature), errors.Is(err, imasig.ErrMalformed):
			return nil, err
		case err == nil && good == nil:
			good = key
		case err != nil && (i == 0 || errors.Is(err, imasig.ErrExpiredKey)):
			problem = err
		}
	}
	if good == nil {
		return nil, problem
	}
	return good, nil
}

// Good returns those of the signature packets that Verify takes for good.
func (r *Keyring) Good(content, signatures []byte, now time.Time) ([]byte, error) {
	packets, err := Split(signatures)
	if err != nil {
		return nil, err
	}
	var good []byte
	for _, packet := range packets {
		if _, err := r.verifyPacket(content, packet, now); err == nil {
			good = append(good, packet...)
		}
	}
	return good, nil
}

func (r *Keyring) verifyPacket(content, signature []byte, now time.Time) (*Key, error) {
	sig, err := ParseSignature(signature)
	if err != nil {
		return nil, err
	}
	candidates := r.find(func(id [8]byte) bool { return id == sig.KeyID })
	if candidates == nil {
		return nil, &imasig.UnknownKeyError{ID: sig.KeyIDString()}
	}
	digest, err := sig.digest(content)
	if err != nil {
		return nil, err
	}
	key, err := try(candidates, now, func(key *Key) error { return key.verify(sig, digest) })
	if err != nil {
		return nil, err
	}
	if end := sig.Created.Add(time.Duration(sig.lifetime) * time.Second); sig.lifetime != 0 && now.After(end) {
		return nil, fmt.Errorf("%w: the signature was valid until %s", imasig.ErrExpiredKey, end.UTC().Format(time.RFC3339))
	}
	return key, nil
}

// VerifyList checks a list in the on-disk form of the 0.3.9x generation: data is the
// whole file, which ends with a signature's Tail, and sig its security.ima.
func (r *Keyring) VerifyList(data []byte, sig imasig.Signature, now time.Time) (*Key, error) {
	candidates := r.find(func(id [8]byte) bool { return bytes.Equal(id[4:], sig.KeyID[:]) })
	if candidates == nil {
		return nil, &imasig.UnknownKeyError{ID: sig.KeyID.String()}
	}
	digest, err := hashes.Sum(sig.Hash, data)
	if err != nil {
		return nil, err
	}
	return try(candidates, now, func(key *Key) error { return key.verifyRSA(sig.Hash, digest, sig.Sig) })
}

func (r *Keyring) find(match func(id [8]byte) bool) []*Key {
	var found []*Key
	for _, key := range r.keys {
		if match(key.ID) {
			found = append(found, key)
		}
	}
	return found
}

// try returns the first key that made the signature and is valid; failing that, a
// key that made it and is not valid is the result, before one that did not make it.
func try(candidates []*Key, now time.Time, verify func(*Key) error) (*Key, error) {
	var result error
	for _, key := range candidates {
		err := verify(key)
		if err == nil {
			if err = key.checkValidity(now); err == nil {
				return key, nil
			}
		}
		if result == nil || errors.Is(err, imasig.ErrExpiredKey) {
			result = err
		}
	}
	return nil, result
}

func (s *Signature) digest(content []byte) ([]byte, error) {
	h, err := hashes.New(s.Hash)
	if err != nil {
		return nil, err
	}
	h.Write(content)
	h.Write(s.tail)
	return h.Sum(nil), nil
}

// verify checks a signature over a digest with this key.
func (k *Key) verify(s *Signature, digest []byte) error {
	if [2]byte(digest) != s.hashStart {
		return k.bad()
	}
	if s.publicKey == algoRSA || s.publicKey == algoRSASignOnly {
		return k.verifyRSA(s.Hash, digest, s.values[0])
	}
	if !k.verifyPair(s, digest) {
		return k.bad()
	}
	return nil
}

// verifyPair checks a signature of any algorithm but RSA. That the key is of another
// one than the signature says is no more than a signature that is not good.
func (k *Key) verifyPair(s *Signature, digest []byte) bool {
	switch pub := k.public.PublicKey.(type) {
	case *dsa.PublicKey:
		// FIPS 186-4 section 4.6: as many of the leftmost bits as the subgroup has.
		short := digest[:min(len(digest), (pub.Q.BitLen()+7)/8)]
		return s.publicKey == algoDSA && dsa.Verify(pub, short, number(s.values[0]), number(s.values[1]))
	case *ecdsa.PublicKey:
		return s.publicKey == algoECDSA && ecdsa.Verify(pub, digest, number(s.values[0]), number(s.values[1]))
	case *eddsa.PublicKey:
		return s.publicKey == algoEdDSA && eddsa.Verify(pub, digest, s.values[0], s.values[1])
	case *ed25519.PublicKey:
		return s.publicKey == algoEd25519 && ed25519.Verify(pub, digest, s.values[0])
	}
	return false
}

// minRSABits is the shortest modulus that crypto/rsa verifies with.
const minRSABits = 1024

// verifyRSA checks a PKCS#1 v1.5 signature, which may lack leading zeros (as an OpenPGP
// integer does) or have more than the modulus (as in security.ima).
func (k *Key) verifyRSA(alg compact.Algorithm, digest, sig []byte) error {
	pub, ok := k.rsaKey()
	if !ok {
		return k.bad()
	}
	if bits := pub.N.BitLen(); bits < minRSABits {
		return unsupported("RSA key %s of %d bits, want at least %d", k.IDString(), bits, minRSABits)
	}
	info, err := imasig.DigestInfo(alg, digest)
	if err != nil {
		return err
	}
	sig = bytes.TrimLeft(sig, "\x00")
	if len(sig) > pub.Size() {
		return k.bad()
	}
	padded := make([]byte, pub.Size())
	copy(padded[len(padded)-len(sig):], sig)
	if rsa.VerifyPKCS1v15(pub, crypto.Hash(0), info, padded) != nil {
		return k.bad()
	}
	return nil
}

func (k *Key) bad() error { return fmt.Errorf("%w: key %s", imasig.ErrBadSignature, k.IDString()) }

func number(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
