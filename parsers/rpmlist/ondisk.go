package rpmlist

import (
	"fmt"
	"slices"

	"digestlists/compact"
)

// OnDisk moves the vendor's signature of a list to where 0.3.93 and later expect
// it. withTail is the list with the signed part of the signature after it; the
// other values are those of security.ima: the signature padded with zeros on the
// left to a multiple of 8 bytes, the last four bytes of the issuer's key id, and
// the hash algorithm.
//
// Of the packets, the first one of version 3 or 4 made with RSA is taken: that attribute
// has no room for the two numbers of a DSA signature. Without one the error is
// compact.ErrUnsupportedAlgorithm or compact.ErrUnsupportedVersion.
func OnDisk(list, packets []byte) (withTail, rawSig []byte, keyID [4]byte, hash compact.Algorithm, err error) {
	_, tail, err := Split(list)
	if err != nil {
		return nil, nil, keyID, 0, err
	}
	if tail != nil {
		return nil, nil, keyID, 0, fail(len(list)-len(tail), "end of header", compact.ErrMalformed, "the list has the signed part of a signature already")
	}
	s, err := firstRSA(packets)
	if err != nil {
		return nil, nil, keyID, 0, fmt.Errorf("vendor signature: %w", err)
	}
	if hash, err = compact.AlgorithmFromOpenPGP(uint32(s.hash)); err != nil {
		return nil, nil, keyID, 0, fmt.Errorf("vendor signature: %w", err)
	}
	padding := make([]byte, -len(s.number)&7)
	return slices.Concat(list, s.tail), slices.Concat(padding, s.number), [4]byte(s.issuer[4:]), hash, nil
}
