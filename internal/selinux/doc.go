// Package selinux finds the label that a policy gives to a file, as selabel_lookup(3)
// of libselinux does, from the policy's file_contexts(5): no kernel with SELinux is needed.
//
// These files are read, those with a suffix if they exist:
//
//	file_contexts            regular expression, type of file, label
//	file_contexts.homedirs   the same, for users' directories
//	file_contexts.local      the same, of the administrator
//	file_contexts.subs       a path and the one whose labels files under it get
//	file_contexts.subs_dist  likewise, applied after .subs
//
// Of several lines that match, one without special characters is more specific than
// any expression; among each kind, the last one counts. Expressions are those of
// package regexp, which has all that policies use; another one is an error.
package selinux
