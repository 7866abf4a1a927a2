// Package attest answers whether a machine has run nothing but known files.
//
// The evidence is an IMA measurement list, the values of the TPM's platform
// configuration registers (PCRs) that the list was extended into, and a quote: the
// TPM's signature over those values. It is checked from the outside in:
//
//   - OpenQuote checks the quote, and only then gives out what it says and the PCR
//     values that it covers;
//   - Replay extends the entries of the list into all PCRs and banks at once, and finds
//     the longest part of the list, from its start, that the values attest;
//   - References say which digests are known, and from which digest list or package;
//   - ParseEventLog replays what the firmware says that it has measured before the kernel;
//   - Verify puts these together into a Report with one verdict and the reasons for it, and
//     can continue from the State of an earlier one.
//
// # What is attested
//
// A PCR covers the template data of an entry, that is the file's digest, its name and
// what else the template holds. It does not cover the name of the template, so that only
// templates that begin with a digest and a name are understood; nor the name in a
// violation, whose data are not hashed at all. Entries after the part that the values
// attest were measured after the quote was made, or made up by whoever sent the list:
// they are unattested, and neither good nor bad. So are entries for PCRs without a value.
//
// SHA-1 does not keep an attacker from making two entries with the same digest. A list
// that only SHA-1 attests is not trusted, unless Options.AllowSHA1 is set; nor is one in
// a bank that an old kernel extended with padded SHA-1 digests.
//
// Sources: Documentation/security/IMA-templates.rst and security/integrity/ima of the
// kernel; the TPM 2.0 Library specification, part 2, of the Trusted Computing Group.
package attest
