// Package rpmlist reads and makes `rpm` digest lists: the header of a package as
// its vendor built it, with which the vendor's own signature can be checked.
//
// A list is rpmhdr.Magic and the immutable region of the header. Where the
// vendor's signature has moved to security.ima, as [OnDisk] does, the part of the
// OpenPGP packet that is signed together with the header comes after it, so that
// the digest of the whole file is the digest that was signed (RFC 4880 section
// 5.2.4):
//
//	version 3: u8 type, be32 time
//	version 4: 4, u8 type, u8 public key algorithm, u8 hash algorithm,
//	           be16 length, hashed subpackets, 4, 255, be32 bytes up to here
package rpmlist
