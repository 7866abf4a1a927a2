// Package lockout tells whether a policy would keep root from running what the system
// runs now: a machine on which init, the shell and their libraries are refused is one
// that only another boot entry mends.
//
// It looks at the programs and libraries of root's processes, and asks for each what
// the kernel would: is there a rule that appraises it, and would the file pass? A file
// of which that cannot be found out does not pass.
package lockout
