// Package pgp verifies the OpenPGP signatures that distributions put on the headers of
// their packages, and with them `rpm` digest lists, whose bytes are what was signed.
//
// RPM keeps the signature as a binary signature packet (RFC 4880 section 5.2), of
// version 3 up to CentOS 7 and EPEL 7 and of version 4 since, in the header's tag 268
// (RSA) or 267 (DSA and EdDSA). RPM 6 has any number of packets in tag 278. Old packages are signed with DSA-1024 and SHA-1:
// these are accepted, as nothing better will ever be had for them. Who does not want
// that leaves those keys out.
//
// Failures are of the classes of package imasig: imasig.ErrNoSignature,
// *imasig.UnknownKeyError, imasig.ErrBadSignature, imasig.ErrExpiredKey,
// imasig.ErrMalformed and imasig.ErrUnsupported.
//
// Signatures are parsed here rather than by a library, since none parses all versions and
// the on-disk form of a list (see [Signature.Tail]) needs their bytes; keys, with their
// user ids, subkeys and revocations, are left to github.com/ProtonMail/go-crypto.
package pgp
