// Package ascii reads checksum files: what sha256sum and its sisters write.
//
// A line is one of
//
//	hex  name          as md5sum, sha1sum, sha224sum, sha256sum, sha384sum and sha512sum write it
//	hex *name          with --binary
//	SHA256 (name) = hex   with --tag, the BSD form
//	sha256:hex name
//
// A backslash before the line says that \\, \n and \r in the name stand for a
// backslash, a newline and a carriage return. The algorithm is told by the tag or the prefix,
// and otherwise by the length of the digest: 32 hex digits are md5, 40 sha1, 56 sha224,
// 64 sha256, 96 sha384, 128 sha512. All lines of a file must have the same.
//
// Whatever is not such a line is an error that names it, and so is a file without any: a
// line that was skipped would be a file that is not known. A last line without a
// newline is taken only in the BSD form, where the digest at its end shows that it is whole.
package ascii
