// Package imalog reads IMA measurement lists, the records that Linux keeps of
// the files it measured, and makes digest lists of them.
//
// # Measurement lists
//
// The kernel offers its list in securityfs, under /sys/kernel/security/ima, as text
// (ascii_runtime_measurements) and in binary (binary_runtime_measurements).
// NewReader reads both and tells them apart by itself.
//
// A line of the text is
//
//	pcr templatedigest template field field...
//
// and a binary record, in little-endian integers,
//
//	u32 pcr, template digest, u32 length, template, u32 length, template data
//
// where the template data are the fields, each a u32 length and bytes. The
// template digest is SHA-1, or the bank's algorithm in the binary_runtime_measurements_ALGO
// files of Linux 6.10 and later. A template is one of the kernel's names, such as
// ima-ng, or the list of its fields, such as d-ng|n-ng. The template "ima" has no
// length before its data, and is hashed as the file's SHA-1 digest with the name
// padded with zeros to 256 bytes.
//
// The text does not say where a file name ends: a name with a newline in it looks
// like two lines. Where files are not trusted, prefer the binary list.
//
// Sources: Documentation/security/IMA-templates.rst of the kernel, and the lists
// of booted machines.
//
// # Digest lists
//
// Parser reads the list format ima+ima_ng: a line of modifiers, empty if there are
// none, and measurements as text. Source makes such lists from measurement
// lists, text or binary.
package imalog
