// Package rpmhdr decodes RPM header blobs: the tagged records in which RPM keeps
// all it knows of a package, at the front of package files, in its database and
// in `rpm` digest lists.
//
// A blob is, all integers big-endian:
//
//	u32 number of index entries, 1 to 65535
//	u32 bytes of data, at most 256 MiB
//	16 bytes an entry: u32 tag, u32 type, s32 offset into the data, u32 count
//	data
//
// In files, eight bytes of [Magic] come before it. If the first entry is a region
// (tags 61 to 63), its data are 16 bytes in the shape of another entry, whose
// offset is negative: it counts back over the index entries that belong to the
// region, 16 bytes each. The data of the region end with those 16 bytes. What
// comes after, in index and data, are dribble entries: RPM's database adds them
// when it installs the package. The immutable region, tag 63, is what the vendor
// built and signed.
//
// [Parse] checks the whole index against the real size of the blob, with the
// limits of librpm (header_internal.h and header.c of RPM 4.18), before it
// returns: no accessor can run out of the blob. It copies nothing; values are
// decoded when asked for.
//
// [Files] turns the per-file arrays into one record at a time.
//
// Wrong input is a [compact.FormatError], which has the offset and the field.
package rpmhdr
