package imasig

import (
	"bytes"
	"crypto/rsa"

	"filippo.io/bigmod"
)

// RSA moduli in bits that are accepted. crypto/rsa refuses less; more only costs time.
const (
	minRSABits = 1024
	maxRSABits = 16384
)

// An rsaVerifier checks PKCS #1 v1.5 signatures of one public key. crypto/rsa prepares
// the modulus again for each signature, which takes as long as the arithmetic that is
// left; here it is done once. Nothing in it is secret.
type rsaVerifier struct {
	modulus  *bigmod.Modulus
	exponent uint
}

// newRSAVerifier refuses the keys that crypto/rsa does, here so that a key that is no good
// is not taken for a signature that is not.
func newRSAVerifier(pub *rsa.PublicKey) (*rsaVerifier, error) {
	if pub.N == nil || pub.N.Sign() <= 0 || pub.N.Bit(0) == 0 {
		return nil, malformed("RSA key: modulus is not a positive odd number")
	}
	if e := int64(pub.E); e < 3 || e >= 1<<31 || e%2 == 0 {
		return nil, malformed("RSA key: exponent %d, want an odd number from 3 to 2147483647", e)
	}
	if n := pub.N.BitLen(); n < minRSABits || n > maxRSABits {
		return nil, unsupported("RSA key of %d bits, want %d to %d", n, minRSABits, maxRSABits)
	}
	modulus, err := bigmod.NewModulus(pub.N.Bytes())
	if err != nil {
		return nil, malformed("RSA key: %v", err)
	}
	return &rsaVerifier{modulus, uint(pub.E)}, nil
}

// verify reports whether sig is a signature over info, the DER of a DigestInfo (RFC 8017
// section 8.2.2). The block that it has to be is built and compared as a whole: reading
// the block that it is has let many an implementation accept forgeries.
func (v *rsaVerifier) verify(info, sig []byte) bool {
	want := encodePKCS1v15(info, v.modulus.Size())
	if want == nil || len(sig) != len(want) {
		return false
	}
	s, err := bigmod.NewNat().SetBytes(sig, v.modulus)
	if err != nil { // not less than the modulus
		return false
	}
	block := bigmod.NewNat().ExpShortVarTime(s, v.exponent, v.modulus)
	return bytes.Equal(block.Bytes(v.modulus), want)
}

// encodePKCS1v15 returns info as a block of size bytes, EMSA-PKCS1-v1_5 of RFC 8017
// section 9.2: 0, 1, at least eight bytes 0xff, 0, info. It returns nil if that does not fit.
func encodePKCS1v15(info []byte, size int) []byte {
	padding := size - len(info) - 3
	if padding < 8 {
		return nil
	}
	block := make([]byte, size)
	block[1] = 1
	for i := range padding {
		block[2+i] = 0xff
	}
	copy(block[size-len(info):], info)
	return block
}
