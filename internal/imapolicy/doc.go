// Package imapolicy reads policies of the kernel's IMA, and finds what a kernel
// would refuse before it is tried there: a kernel says no more than EINVAL, and
// many take only one policy until the next boot.
//
//	policy, err := imapolicy.Parse(content, kernel)
//	var faults imapolicy.Faults
//	if errors.As(err, &faults) {
//		for _, f := range faults {
//			fmt.Println(f) // 3:9: func=FILE_CHEK: …
//		}
//	}
//
// A policy is text, one rule a line: an action, then conditions and options, in any
// order, separated by blanks and tabs. `#` at the start of a word begins a comment.
//
// The grammar is that of Documentation/ABI/testing/ima_policy of the kernel. What
// goes together, and what values are taken, is not written there: that was tried
// rule by rule on Linux 6.1 and 6.12, and testdata/accepted and testdata/refused, which
// a test gives to a kernel, are what was seen on 6.1. Which version brought what is from the
// kernel's history; nothing was tried on kernels before 5.10, whose checks of what
// goes together are fewer: what is refused here is no loss there.
package imapolicy
