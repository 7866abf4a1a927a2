package imasig

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"

	"digestlists/compact"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// PKCS#7 (RFC 2315) and its successor CMS (RFC 5652), as far as the kernel's
// sign-file writes them: one signer, detached content, no signed attributes. The
// signer is named by issuer and serial number, or (sign-file -k) by its subject key id.

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

	// Some write the signature algorithm together with its hash (RFC 4055, RFC 5758).
	oidRSAWith = map[compact.Algorithm]asn1.ObjectIdentifier{
		compact.SHA1:   {1, 2, 840, 113549, 1, 1, 5},
		compact.SHA256: {1, 2, 840, 113549, 1, 1, 11},
		compact.SHA384: {1, 2, 840, 113549, 1, 1, 12},
		compact.SHA512: {1, 2, 840, 113549, 1, 1, 13},
		compact.SHA224: {1, 2, 840, 113549, 1, 1, 14},
	}
	oidECDSAWith = map[compact.Algorithm]asn1.ObjectIdentifier{
		compact.SHA1:     {1, 2, 840, 10045, 4, 1},
		compact.SHA224:   {1, 2, 840, 10045, 4, 3, 1},
		compact.SHA256:   {1, 2, 840, 10045, 4, 3, 2},
		compact.SHA384:   {1, 2, 840, 10045, 4, 3, 3},
		compact.SHA512:   {1, 2, 840, 10045, 4, 3, 4},
		compact.SHA3_256: {2, 16, 840, 1, 101, 3, 4, 3, 10},
		compact.SHA3_384: {2, 16, 840, 1, 101, 3, 4, 3, 11},
		compact.SHA3_512: {2, 16, 840, 1, 101, 3, 4, 3, 12},
	}
)

// Versions of SignedData and SignerInfo for a signer that is named by issuer and
// serial number, and by its subject key identifier.
const (
	versionIssuer       = 1
	versionSubjectKeyID = 3
)

// A signerInfo is what verification needs of a SignerInfo.
type signerInfo struct {
	issuer, serial []byte // how it names its key: these two,
	subjectKeyID   []byte // or this one
	hash           compact.Algorithm
	signature      []byte
}

// matches reports whether the signer names this key.
func (s *signerInfo) matches(key *Key) bool {
	if s.subjectKeyID != nil {
		return bytes.Equal(s.subjectKeyID, key.subjectKeyID)
	}
	return key.issuer != nil && bytes.Equal(s.serial, key.serial) && bytes.Equal(s.issuer, key.issuer)
}

// name returns what UnknownKeyError says.
func (s *signerInfo) name() string {
	if s.subjectKeyID != nil {
		return hex.EncodeToString(s.subjectKeyID)
	}
	return "with serial number " + hex.EncodeToString(s.serial)
}

// parsePKCS7 reads the DER of a ContentInfo that holds SignedData.
func parsePKCS7(der []byte) (*signerInfo, error) {
	input := cryptobyte.String(der)
	var contentInfo, wrapped, signedData cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&contentInfo, casn1.SEQUENCE) || !input.Empty() ||
		!contentInfo.ReadASN1ObjectIdentifier(&oid) || !contentInfo.ReadASN1(&wrapped, contextTag(0)) || !contentInfo.Empty() {
		return nil, malformed("appended signature: not a PKCS#7 message in DER")
	}
	if !oid.Equal(oidSignedData) {
		return nil, malformed("appended signature: PKCS#7 content type %s, want signed data", oid)
	}
	if !wrapped.ReadASN1(&signedData, casn1.SEQUENCE) || !wrapped.Empty() {
		return nil, malformed("appended signature: not signed data")
	}
	return parseSignedData(signedData)
}

func parseSignedData(s cryptobyte.String) (*signerInfo, error) {
	var version int64
	var content, signers, signer cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1Integer(&version) || !s.SkipASN1(casn1.SET) ||
		!s.ReadASN1(&content, casn1.SEQUENCE) || !content.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidData) {
		return nil, malformed("appended signature: signed data")
	}
	if !content.Empty() {
		return nil, unsupported("appended signature: with content inside, want it detached")
	}
	// Certificates and revocation lists that come along prove nothing: skipped.
	if !s.SkipOptionalASN1(contextTag(0)) || !s.SkipOptionalASN1(contextTag(1)) ||
		!s.ReadASN1(&signers, casn1.SET) || !s.Empty() {
		return nil, malformed("appended signature: signers")
	}
	if signers.Empty() {
		return nil, malformed("appended signature: no signers")
	}
	if !signers.ReadASN1(&signer, casn1.SEQUENCE) {
		return nil, malformed("appended signature: signer")
	}
	if !signers.Empty() {
		return nil, unsupported("appended signature: several signers, want one")
	}
	return parseSigner(signer)
}

func parseSigner(s cryptobyte.String) (*signerInfo, error) {
	info := new(signerInfo)
	var version int64
	if !s.ReadASN1Integer(&version) || !info.parseName(version, &s) {
		return nil, malformed("appended signature: name of the signer")
	}
	if err := info.parseHash(&s); err != nil {
		return nil, err
	}
	if s.PeekASN1Tag(contextTag(0)) {
		return nil, unsupported("appended signature: signed attributes, want none (openssl cms -noattr)")
	}
	if err := info.parseAlgorithm(&s); err != nil {
		return nil, err
	}
	var signature cryptobyte.String
	if !s.ReadASN1(&signature, casn1.OCTET_STRING) || !s.SkipOptionalASN1(contextTag(1)) || !s.Empty() {
		return nil, malformed("appended signature: signature value")
	}
	info.signature = signature
	return info, nil
}

// parseName reads the SignerIdentifier, whose form goes with the version.
func (s *signerInfo) parseName(version int64, in *cryptobyte.String) bool {
	switch version {
	case versionIssuer:
		var both, issuer, serial cryptobyte.String
		ok := in.ReadASN1(&both, casn1.SEQUENCE) && both.ReadASN1Element(&issuer, casn1.SEQUENCE) &&
			both.ReadASN1(&serial, casn1.INTEGER) && both.Empty()
		s.issuer, s.serial = issuer, serial
		return ok
	case versionSubjectKeyID:
		var id cryptobyte.String
		ok := in.ReadASN1(&id, casn1.Tag(0).ContextSpecific()) && len(id) > 0
		s.subjectKeyID = id
		return ok
	}
	return false
}

func (s *signerInfo) parseHash(in *cryptobyte.String) error {
	oid, plain, ok := readAlgorithm(in)
	if !ok {
		return malformed("appended signature: digest algorithm")
	}
	for alg, known := range digestOIDs {
		if plain && known.Equal(oid) {
			s.hash = alg
			return nil
		}
	}
	return unsupported("appended signature: digest algorithm %s: %w", oid, compact.ErrUnsupportedAlgorithm)
}

// parseAlgorithm checks that the signature is of a kind that Key.VerifyDigest checks.
// The key decides between RSA and ECDSA.
func (s *signerInfo) parseAlgorithm(in *cryptobyte.String) error {
	oid, plain, ok := readAlgorithm(in)
	if !ok {
		return malformed("appended signature: signature algorithm")
	}
	if plain && (oid.Equal(oidRSA) || oid.Equal(oidRSAWith[s.hash]) || oid.Equal(oidECDSAWith[s.hash])) {
		return nil
	}
	return unsupported("appended signature: signature algorithm %s over %s, want RSA PKCS#1 v1.5 or ECDSA", oid, s.hash)
}

// readAlgorithm reads an AlgorithmIdentifier. plain reports whether it is without
// parameters: absent, or NULL.
func readAlgorithm(in *cryptobyte.String) (oid asn1.ObjectIdentifier, plain, ok bool) {
	var algorithm cryptobyte.String
	if !in.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return nil, false, false
	}
	plain = algorithm.SkipOptionalASN1(casn1.NULL) && algorithm.Empty()
	return oid, plain, true
}

// marshalPKCS7 writes the SignedData of a signer that is named by the issuer and serial
// number of its certificate, as openssl cms -sign -binary -noattr -nocerts does.
func marshalPKCS7(cert *Key, alg compact.Algorithm, signatureOID asn1.ObjectIdentifier, sig []byte) ([]byte, error) {
	digestAlgorithm := func(b *cryptobyte.Builder) { addAlgorithm(b, digestOIDs[alg], false) }
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(versionIssuer)
				b.AddASN1(casn1.SET, digestAlgorithm)
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) })
				b.AddASN1(casn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1Int64(versionIssuer)
						b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddBytes(cert.issuer)
							b.AddASN1(casn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(cert.serial) })
						})
						digestAlgorithm(b)
						addAlgorithm(b, signatureOID, signatureOID.Equal(oidRSA))
						b.AddASN1OctetString(sig)
					})
				})
			})
		})
	})
	return b.Bytes()
}

// addAlgorithm writes an AlgorithmIdentifier. RSA wants its parameters to be NULL,
// hash algorithms (RFC 5754 section 2) and ECDSA (RFC 5758 section 3.2) want none.
func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, null bool) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if null {
			b.AddASN1NULL()
		}
	})
}
