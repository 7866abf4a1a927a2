// Package tlv reads and makes `tlv` lists, those of the kernel's Integrity Digest Cache, which
// was proposed upstream in its version 6 of November 2024 (include/uapi/linux/tlv_digest_list.h
// and lib/tlv_parser.c there). They have nothing to do with compact_tlv.
//
// A list is fields, one after the other, all integers big-endian:
//
//	u16 field, u32 length, data
//
//	0 algorithm: u16 id, as in package compact
//	1 number of entries: u32
//	2 entry: fields in turn
//	    0 digest
//	    1 path, absolute, ends in a NUL
//
// The algorithm comes before the number, and both before the entries that they are of. After
// these, another algorithm may begin. The kernel ignores paths and takes what it reads before
// an error; here the whole list has to be right.
package tlv
