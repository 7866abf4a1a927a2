package imasig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/asn1"
	"fmt"
	"time"

	"digestlists/compact"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC  = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
)

// curves are those that the kernel has ECDSA for. Asking for one sets all of them up, which the
// start of a program should not wait for.
var curves = []struct {
	oid   asn1.ObjectIdentifier
	curve func() elliptic.Curve
}{
	{asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, elliptic.P256},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 34}, elliptic.P384},
	{asn1.ObjectIdentifier{1, 3, 132, 0, 35}, elliptic.P521},
}

// A Key is a public key that signatures are verified with.
type Key struct {
	Name string // where it is from, for messages
	ID   KeyID  // what security.ima names it by

	// The validity period of the certificate, both ends included; zero for a bare
	// public key, which is always valid.
	NotBefore, NotAfter time.Time

	public crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey
	rsa    *rsaVerifier     // of an *rsa.PublicKey

	subjectKeyID   []byte // the whole identifier that ID is the end of
	issuer, serial []byte // of a certificate: DER of the name, DER contents of the number
}

// Public returns the key itself, an *rsa.PublicKey or *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// VerifyDigest checks a signature over a digest: for RSA, PKCS#1 v1.5 with a
// DigestInfo, for ECDSA an ASN.1 DER pair. It does not look at the validity period.
// A signature that does not match is ErrBadSignature.
func (k *Key) VerifyDigest(alg compact.Algorithm, digest, sig []byte) error {
	if !alg.Valid() || len(digest) != alg.Size() {
		return malformed("%d bytes of digest, %s has %d", len(digest), alg, alg.Size())
	}
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		info, err := DigestInfo(alg, digest)
		if err != nil {
			return err
		}
		if k.rsa.verify(info, sig) {
			return nil
		}
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(pub, digest, sig) {
			return nil
		}
	}
	return fmt.Errorf("%w: key %s", ErrBadSignature, k.ID)
}

// CheckValidity returns ErrExpiredKey or ErrNotYetValid outside of the validity period.
func (k *Key) CheckValidity(now time.Time) error {
	switch {
	case !k.NotAfter.IsZero() && now.After(k.NotAfter):
		return fmt.Errorf("%w: key %s was valid until %s", ErrExpiredKey, k.ID, k.NotAfter.UTC().Format(time.RFC3339))
	case !k.NotBefore.IsZero() && now.Before(k.NotBefore):
		return fmt.Errorf("%w: key %s is valid from %s", ErrNotYetValid, k.ID, k.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// Equal reports whether both are the same public key, under whatever id or name.
func (k *Key) Equal(public crypto.PublicKey) bool {
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		return pub.Equal(public)
	case *ecdsa.PublicKey:
		return pub.Equal(public)
	}
	return false
}

// NewKey returns the key of an *rsa.PublicKey or *ecdsa.PublicKey, with the id that
// is calculated from it.
func NewKey(public crypto.PublicKey, name string) (*Key, error) {
	var bits []byte
	switch pub := public.(type) {
	case *rsa.PublicKey:
		bits = marshalRSA(pub)
	case *ecdsa.PublicKey:
		var err error
		if bits, err = pub.Bytes(); err != nil {
			return nil, unsupported("EC key: %w", err)
		}
	default:
		return nil, unsupported("key type %T, want RSA or EC", public)
	}
	return newKey(public, bits, name)
}

// newKey checks a key and derives its identifier from bits, the contents of the
// subjectPublicKey field: for RSA the DER of PKCS#1 RSAPublicKey, for EC the point.
func newKey(public crypto.PublicKey, bits []byte, name string) (*Key, error) {
	sum := sha1.Sum(bits)
	key := &Key{Name: name, ID: lastFour(sum[:]), public: public, subjectKeyID: sum[:]}
	var err error
	switch pub := public.(type) {
	case *rsa.PublicKey:
		key.rsa, err = newRSAVerifier(pub)
	case *ecdsa.PublicKey:
		err = checkCurve(pub)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

func checkCurve(pub *ecdsa.PublicKey) error {
	for _, c := range curves {
		if c.curve() == pub.Curve {
			return nil
		}
	}
	return unsupported("EC curve %s, want P-256, P-384 or P-521", pub.Params().Name)
}

func lastFour(id []byte) KeyID { return KeyID(id[len(id)-4:]) }

// identify replaces the identifier by the one that a certificate states.
func (k *Key) identify(subjectKeyID []byte) {
	k.subjectKeyID = bytes.Clone(subjectKeyID)
	k.ID = lastFour(k.subjectKeyID)
}

// parsePublicKeyInfo reads the DER of a SubjectPublicKeyInfo (RFC 5280 section 4.1).
func parsePublicKeyInfo(der cryptobyte.String, name string) (*Key, error) {
	var info, algorithm, bits cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&info, casn1.SEQUENCE) || !der.Empty() ||
		!info.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!readBits(&info, &bits) || !info.Empty() {
		return nil, malformed("public key: not a SubjectPublicKeyInfo")
	}
	switch {
	case oid.Equal(oidRSA):
		return parseRSA(bits, name)
	case oid.Equal(oidEC):
		return parseEC(algorithm, bits, name)
	}
	return nil, unsupported("public key algorithm %s, want RSA or EC", oid)
}

func readBits(s *cryptobyte.String, out *cryptobyte.String) bool {
	var bits asn1.BitString
	if !s.ReadASN1BitString(&bits) || bits.BitLength%8 != 0 {
		return false
	}
	*out = bits.Bytes
	return true
}

// parseEC reads a point on the curve that the algorithm's parameters name.
func parseEC(parameters, point cryptobyte.String, name string) (*Key, error) {
	var oid asn1.ObjectIdentifier
	if !parameters.ReadASN1ObjectIdentifier(&oid) || !parameters.Empty() {
		return nil, unsupported("EC key: parameters are not a named curve")
	}
	for _, c := range curves {
		if !c.oid.Equal(oid) {
			continue
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(c.curve(), point)
		if err != nil {
			return nil, malformed("EC key: %v", err)
		}
		return newKey(pub, point, name)
	}
	return nil, unsupported("EC curve %s, want P-256, P-384 or P-521", oid)
}

// SubjectKeyID returns the whole identifier that the key's ID is the end of: what a
// certificate states, else the SHA-1 of the key (RFC 5280 section 4.2.1.2, method 1).
func (k *Key) SubjectKeyID() []byte { return bytes.Clone(k.subjectKeyID) }
