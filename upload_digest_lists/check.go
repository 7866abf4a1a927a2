package main

import (
	"fmt"
	"slices"

	"digestlists/internal/kernel"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
)

// check compares what the kernel knows after an upload with what it should.
func (u *uploader) check(expected *kernel.Expectation) {
	if mismatch := expected.Check(u.operation); mismatch != nil {
		u.Problem(mismatch)
	}
	if u.operation == securityfs.Delete {
		u.warnOfKept(expected)
	}
}

// warnOfKept tells of digests that were deleted and are known all the same. That other lists
// of the directory have them is as it should be; else they were loaded more than once,
// say by the kernel itself at boot. To delete them again would be no remedy: who else has loaded
// them is not known, and the kernel would forget what other lists share.
func (u *uploader) warnOfKept(expected *kernel.Expectation) {
	if expected.Kept() == 0 {
		return
	}
	if err := u.share(expected); err != nil {
		u.Warn("%d digests were not forgotten, and whether other lists have them is not known: %v", expected.Kept(), err)
		return
	}
	if kept := expected.Kept(); kept > 0 {
		u.Warn("at least %d digests were not forgotten, and no other list of %s has them: they were loaded more than once "+
			"and stay known until the next boot, or were not loaded at all", kept, u.set.Path)
	}
}

// share tells what the other lists of the directory have, but for those that cannot be loaded.
func (u *uploader) share(expected *kernel.Expectation) error {
	c := converter{uploader: u}
	for _, l := range u.withoutKeys(u.set.Dir.Lists()) {
		_, err := u.formats.Parser(l.Format)
		if err != nil || slices.ContainsFunc(u.set.Lists, func(own listdir.List) bool { return own.File == l.File }) {
			continue
		}
		if u.kernelKeys.check(u.set.Path, l.File) != nil {
			continue
		}
		list, err := c.convertList(l)
		if err == nil {
			err = expected.Share(list)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.File, err)
		}
	}
	return nil
}
