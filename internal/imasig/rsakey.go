package imasig

import (
	"crypto/rsa"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// parseRSA reads the DER of a PKCS#1 RSAPublicKey (RFC 8017 appendix A.1.1).
func parseRSA(der cryptobyte.String, name string) (*Key, error) {
	bits := der
	var sequence cryptobyte.String
	n := new(big.Int)
	var e int
	if !der.ReadASN1(&sequence, casn1.SEQUENCE) || !der.Empty() ||
		!sequence.ReadASN1Integer(n) || !sequence.ReadASN1Integer(&e) || !sequence.Empty() {
		return nil, malformed("RSA key: not a PKCS#1 RSAPublicKey")
	}
	return newKey(&rsa.PublicKey{N: n, E: e}, bits, name)
}

func marshalRSA(pub *rsa.PublicKey) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(pub.N)
		b.AddASN1Int64(int64(pub.E))
	})
	return b.BytesOrPanic() // a sequence of two integers cannot fail
}
