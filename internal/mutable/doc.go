// Package mutable keeps what lists of mutable files are made from: copies of the files
// that nobody else can write to.
//
// Lists let such a file be used under appraisal until it is first written to; from then on
// its own attributes vouch for it. So the file must have the content that is listed when
// appraisal begins, although programs write to it all the time. The way there:
//
//	generate  copies are taken to /backup/LIST, and the list holds the digests of the
//	          copies; the state is "update"
//	update    at the next boot, before programs write: files that differ from their copy
//	          are copied again, and the list follows; the state is "replace"
//	          (the administrator signs what changed)
//	replace   at the boot before appraisal is enforced: files that differ from their copy
//	          are replaced with it; /backup/LIST becomes /backup/LIST.orig, and there
//	          is no state any more
//
// The copies in /backup/LIST and the list LIST belong together whenever the state is not
// "update"; whatever ends a run, doing the same step again finishes it.
//
// The state file, its values and the names under /backup are those of the C tools.
package mutable
