package imasig

import (
	"encoding/asn1"
	"sync"

	"digestlists/compact"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// digestOIDs are the object identifiers of the hash algorithms, as OpenSSL and the
// kernel use them in signatures. The standard library's RIPEMD-160 differs (it uses
// the one of ISO/IEC 10118-3), and it has no sm3: hence a table of our own.
var digestOIDs = map[compact.Algorithm]asn1.ObjectIdentifier{
	compact.MD5:      {1, 2, 840, 113549, 2, 5},
	compact.SHA1:     {1, 3, 14, 3, 2, 26},
	compact.RMD160:   {1, 3, 36, 3, 2, 1},
	compact.SHA224:   {2, 16, 840, 1, 101, 3, 4, 2, 4},
	compact.SHA256:   {2, 16, 840, 1, 101, 3, 4, 2, 1},
	compact.SHA384:   {2, 16, 840, 1, 101, 3, 4, 2, 2},
	compact.SHA512:   {2, 16, 840, 1, 101, 3, 4, 2, 3},
	compact.SHA3_256: {2, 16, 840, 1, 101, 3, 4, 2, 8},
	compact.SHA3_384: {2, 16, 840, 1, 101, 3, 4, 2, 9},
	compact.SHA3_512: {2, 16, 840, 1, 101, 3, 4, 2, 10},
	compact.SM3:      {1, 2, 156, 10197, 1, 401},
}

// digestInfoPrefixes returns what precedes the digest in the DER of a DigestInfo.
var digestInfoPrefixes = sync.OnceValue(func() map[compact.Algorithm][]byte {
	prefixes := make(map[compact.Algorithm][]byte, len(digestOIDs))
	for alg, oid := range digestOIDs {
		var b cryptobyte.Builder
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid)
				b.AddASN1NULL()
			})
			b.AddASN1OctetString(make([]byte, alg.Size()))
		})
		der := b.BytesOrPanic() // of constants
		prefixes[alg] = der[:len(der)-alg.Size()]
	}
	return prefixes
})

// DigestInfo returns the DER of the DigestInfo structure (RFC 8017 section 9.2) that
// RSA PKCS#1 v1.5 signs. Signing it as it is, without a further hash algorithm, gives the
// same signature for every algorithm, including those unknown to crypto/rsa.
func DigestInfo(alg compact.Algorithm, digest []byte) ([]byte, error) {
	prefix, ok := digestInfoPrefixes()[alg]
	if !ok {
		return nil, unsupported("no RSA signature over %s: %w", alg, compact.ErrUnsupportedAlgorithm)
	}
	if len(digest) != alg.Size() {
		return nil, malformed("%d bytes of digest, %s has %d", len(digest), alg, alg.Size())
	}
	info := make([]byte, 0, len(prefix)+len(digest))
	return append(append(info, prefix...), digest...), nil
}
