// Package imasig encodes and verifies the signatures of digest lists.
//
// A list can be signed in three ways, with the same keys:
//
//   - by its security.ima attribute, version 2 (struct signature_v2_hdr in the
//     kernel's security/integrity/integrity.h), as evmctl ima_sign writes it;
//   - by a detached file that holds the same bytes as the attribute;
//   - by a PKCS#7 message appended to the list (the kernel's "modsig"), as its
//     sign-file and openssl cms make it.
//
// [Find] looks for them in this order, and [Keyring.Open] gives out the content of
// a list only after one has been verified:
//
//	var keys imasig.Keyring
//	if err := keys.AddCertificate(der, "x509_ima.der"); err != nil {
//		return err
//	}
//	found, err := imasig.Find(path, data)
//	if err != nil {
//		return err
//	}
//	verified, err := keys.Open(found, time.Now())
//	if err != nil {
//		return err // data is not to be used
//	}
//	use(verified.Content)
//
// # Results
//
// Every failure is an error of one class, never a warning: [ErrNoSignature],
// [*UnknownKeyError], [ErrBadSignature], [ErrExpiredKey], [ErrMalformed].
// ErrExpiredKey is only returned when the signature itself is good.
//
// # What it does not do
//
// A certificate is trusted because its holder put it into the keyring; chains are not
// followed, as the kernel checks them when a key enters its own keyring. The package
// does not hold private keys (see signkey) nor OpenPGP (see pgp), and links nothing of
// crypto/x509, which would bring the net package into the early-boot parser.
package imasig
