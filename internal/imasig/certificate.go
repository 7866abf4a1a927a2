package imasig

import (
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ParseCertificate reads the public key, its identifier and its validity period from
// the DER of an X.509 certificate (RFC 5280 section 4.1). The certificate's own signature is
// not checked. Anything else is ErrMalformed, another type of key ErrUnsupported.
//
// This is not crypto/x509 because that links the net package, which the early-boot
// parser must not contain; and most of what a certificate says does not matter here.
func ParseCertificate(der []byte, name string) (*Key, error) {
	var certificate, tbs cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&certificate, casn1.SEQUENCE) || !certificate.ReadASN1(&tbs, casn1.SEQUENCE) ||
		!certificate.SkipASN1(casn1.SEQUENCE) || !certificate.SkipASN1(casn1.BIT_STRING) || !certificate.Empty() {
		return nil, malformed("not an X.509 certificate")
	}
	if !input.Empty() {
		return nil, malformed("certificate: %d bytes after its end", len(input))
	}
	return parseTBS(tbs, name)
}

// parseTBS reads a TBSCertificate, the part of a certificate that is signed.
func parseTBS(tbs cryptobyte.String, name string) (*Key, error) {
	var version int64
	if !tbs.ReadOptionalASN1Integer(&version, contextTag(0), int64(0)) || version < 0 || version > 2 {
		return nil, malformed("certificate: version")
	}
	var serial, issuer, validity, publicKey cryptobyte.String
	if !tbs.ReadASN1(&serial, casn1.INTEGER) || !tbs.SkipASN1(casn1.SEQUENCE) {
		return nil, malformed("certificate: serial number")
	}
	if !tbs.ReadASN1Element(&issuer, casn1.SEQUENCE) {
		return nil, malformed("certificate: issuer")
	}
	if !tbs.ReadASN1(&validity, casn1.SEQUENCE) || !tbs.SkipASN1(casn1.SEQUENCE) {
		return nil, malformed("certificate: validity")
	}
	if !tbs.ReadASN1Element(&publicKey, casn1.SEQUENCE) {
		return nil, malformed("certificate: public key")
	}
	key, err := parsePublicKeyInfo(publicKey, name)
	if err != nil {
		return nil, err
	}
	key.issuer, key.serial = append([]byte(nil), issuer...), append([]byte(nil), serial...)
	if err := key.parseValidity(validity); err != nil {
		return nil, err
	}
	if err := key.parseExtensions(tbs); err != nil {
		return nil, err
	}
	return key, nil
}

func (k *Key) parseValidity(validity cryptobyte.String) error {
	if !readTime(&validity, &k.NotBefore) || !readTime(&validity, &k.NotAfter) || !validity.Empty() {
		return malformed("certificate: validity")
	}
	return nil
}

func readTime(s *cryptobyte.String, out *time.Time) bool {
	if s.PeekASN1Tag(casn1.UTCTime) {
		return s.ReadASN1UTCTime(out)
	}
	return s.ReadASN1GeneralizedTime(out)
}

var oidSubjectKeyID = asn1.ObjectIdentifier{2, 5, 29, 14}

// parseExtensions looks through what follows the public key for the subject key
// identifier (RFC 5280 section 4.2.1.2).
func (k *Key) parseExtensions(rest cryptobyte.String) error {
	var wrapped, extensions cryptobyte.String
	var present bool
	if !rest.SkipOptionalASN1(casn1.Tag(1).ContextSpecific()) || !rest.SkipOptionalASN1(casn1.Tag(2).ContextSpecific()) ||
		!rest.ReadOptionalASN1(&wrapped, &present, contextTag(3)) || !rest.Empty() {
		return malformed("certificate: extensions")
	}
	if !present {
		return nil
	}
	if !wrapped.ReadASN1(&extensions, casn1.SEQUENCE) || !wrapped.Empty() {
		return malformed("certificate: extensions")
	}
	for !extensions.Empty() {
		var extension, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !extensions.ReadASN1(&extension, casn1.SEQUENCE) || !extension.ReadASN1ObjectIdentifier(&oid) ||
			!extension.SkipOptionalASN1(casn1.BOOLEAN) || !extension.ReadASN1(&value, casn1.OCTET_STRING) || !extension.Empty() {
			return malformed("certificate: extension")
		}
		if !oid.Equal(oidSubjectKeyID) {
			continue
		}
		var id cryptobyte.String
		if !value.ReadASN1(&id, casn1.OCTET_STRING) || !value.Empty() || len(id) < len(KeyID{}) {
			return malformed("certificate: subject key identifier of fewer than 4 bytes, or not one")
		}
		k.identify(id)
	}
	return nil
}

// contextTag is the tag of an explicitly tagged, context-specific field.
func contextTag(n uint8) casn1.Tag { return casn1.Tag(n).ContextSpecific().Constructed() }
