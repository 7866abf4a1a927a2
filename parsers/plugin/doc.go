// Package plugin adds formats that third parties provide as executables.
//
// An executable parser-NAME or generator-NAME in the plug-in folder, usually
// /usr/libexec/digestlist, adds the format NAME: 1 to 32 of a-z, 0-9, "_" and "+". Discover
// finds them.
//
// # Contract
//
// A parser gets a digest list of its format on standard input and no arguments. A generator
// gets the inputs as arguments, in order, and nothing on standard input. Both write a
// compact list (see package compact) to standard output, of blocks of the type asked for and
// no other, and exit with 0. A list of no digests is one header with a count of 0: no output
// at all is taken for a failure. What they write to standard error is shown if they
// exit with another code, and dropped otherwise.
//
// The environment is these variables and nothing else:
//
//	PATH                   /usr/sbin:/usr/bin:/sbin:/bin
//	LC_ALL                 C
//	DIGEST_LIST_TYPE       key, parser, file or metadata: the type to write
//	DIGEST_LIST_ALGORITHM  generators: the algorithm to use where there is a choice, such as sha256
//	DIGEST_LIST_ROOT       generators: the root under which to look, / if no other
//
// The working directory is that of the caller. Standard input, output and error are pipes. A plug-in
// that takes longer than the time limit, or writes more than the size limit, is killed
// with all its children, and nothing of its output is used.
//
// # Trust
//
// A plug-in says which files are good, so nobody may be able to change it who is not
// trusted anyway. Its file, and every directory and symbolic link on the way to it, must
// belong to root or to the user who runs it, and must not be writable by group or others;
// in a directory with the sticky bit, such as /tmp, only the entry itself matters. Anything
// else is ErrUnsafe. The output is checked completely before any of it is used.
package plugin
