// Package hashes makes the hash functions that go with compact.Algorithm.
//
// It offers those that IMA lists are made with in practice: md5, sha1, rmd160,
// the SHA-2 and SHA-3 families and sm3. The kernel numbers more (md4, tiger,
// whirlpool, streebog); digests of those can be carried in lists, but not
// computed here: they are compact.ErrUnsupportedAlgorithm.
package hashes

import (
	"crypto"
	_ "crypto/md5" // registered for crypto.Hash.New, as are the next three
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"fmt"
	"hash"
	"io"

	"digestlists/compact"

	"github.com/emmansun/gmsm/sm3"
	//lint:ignore SA1019 lists and signatures that exist are made with it
	"golang.org/x/crypto/ripemd160"
)

// standard holds the algorithms that the crypto package has a number for.
var standard = map[compact.Algorithm]crypto.Hash{
	compact.MD5:      crypto.MD5,
	compact.SHA1:     crypto.SHA1,
	compact.RMD160:   crypto.RIPEMD160,
	compact.SHA224:   crypto.SHA224,
	compact.SHA256:   crypto.SHA256,
	compact.SHA384:   crypto.SHA384,
	compact.SHA512:   crypto.SHA512,
	compact.SHA3_256: crypto.SHA3_256,
	compact.SHA3_384: crypto.SHA3_384,
	compact.SHA3_512: crypto.SHA3_512,
}

// CryptoHash returns the number that the crypto package gives the algorithm. ok
// is false where it has none, which includes sm3: New makes that nevertheless.
func CryptoHash(a compact.Algorithm) (h crypto.Hash, ok bool) {
	h, ok = standard[a]
	return h, ok
}

// New returns a hash function for the algorithm, or an error that wraps
// compact.ErrUnsupportedAlgorithm.
func New(a compact.Algorithm) (hash.Hash, error) {
	switch a {
	case compact.SM3:
		return sm3.New(), nil
	case compact.RMD160:
		return ripemd160.New(), nil
	}
	h, ok := standard[a]
	if !ok {
		return nil, fmt.Errorf("%w: %s digests cannot be computed", compact.ErrUnsupportedAlgorithm, a)
	}
	return h.New(), nil
}

// Sum returns the digest of data.
func Sum(a compact.Algorithm, data []byte) ([]byte, error) {
	h, err := New(a)
	if err != nil {
		return nil, err
	}
	h.Write(data)
	return h.Sum(nil), nil
}

// SumReader returns the digest of everything that r has to give.
func SumReader(a compact.Algorithm, r io.Reader) ([]byte, error) {
	h, err := New(a)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(h, r); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}
