// Package compact reads and writes compact digest lists, the format in which
// Linux with the IMA digest-list extension takes reference digests of files.
//
// # Format
//
// A list is one or more blocks, one after the other. A block is a header of 16
// bytes, little-endian, and the digests it announces, back to back:
//
//	offset  size  field
//	     0     1  version: 1
//	     1     1  reserved: 0
//	     2     2  [Type]: 0 key, 1 parser, 2 file, 3 metadata
//	     4     2  [Modifiers]: bit 0 immutable
//	     6     2  [Algorithm]: the kernel's enum hash_algo
//	     8     4  count of digests
//	    12     4  bytes after the header: count × digest size
//
// Version 2, called compact_tlv, has the same header and records instead of
// digests, see [TLVReader]. The kernel does not read it.
//
// # Reading
//
// [NewReader] returns a streaming reader that accepts exactly what the kernel
// accepts: reserved bytes, unknown modifier bits, empty and repeated blocks pass;
// another version, an unknown type or algorithm, a length that does not fit the
// count, and a list that ends early are a [FormatError]. The kernel keeps the
// digests it read before an error, so whoever uploads a list should [Check] all
// of it first.
//
// # Writing
//
// [NewWriter] returns a writer that collects digests in one block for each type,
// modifiers and algorithm, and writes the blocks in order of first use. A block is
// written early when one more digest would bring it to the kernel's limit for a
// write, so that each block can be uploaded. The same digests in the same order
// always give the same bytes.
//
// [NewTLVReader] and [NewTLVWriter] do the same for compact_tlv.
//
// The package needs nothing but the standard library.
//
// Sources: struct compact_list_hdr and its parser in security/integrity/ima/ima_digest_list.c
// of kernels with the extension, such as openEuler's; for compact_tlv, lists that
// digest-list-tools 0.3.95 has made.
package compact
