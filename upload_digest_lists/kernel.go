package main

import (
	"fmt"

	"digestlists/compact"
	"digestlists/internal/kernel"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers/compactlist"
)

// upload loads the lists into the kernel. Everything that opens files other than
// lists happens before or after the window.
func (u *uploader) upload(k *kernel.Kernel) error {
	setup, err := k.Setup(u.set.Path)
	if err != nil {
		return err
	}
	u.kernelKeys = askKernel(k.Proc, setup)
	expected := kernel.NewExpectation()
	var spent int64
	for i, lists := range u.windows(u.addKeys(k.Proc, u.parsable(u.set.Lists))) {
		uploads := u.prepare(lists)
		if u.operation == securityfs.Add {
			uploads = u.fit(uploads, setup.CommandLine, spent)
			if i == 0 { // parser lists, which are few
				spent = u.costOfPaths(uploads)
			}
		}
		if len(uploads) == 0 {
			continue
		}
		if err := u.uploadInWindow(k, uploads, expected); err != nil {
			return err
		}
	}
	u.check(expected)
	u.summarize()
	return u.Result()
}

// windows splits the lists where the kernel has to look again at who uploads: it
// takes data only from a program that was in a parser list when the window was
// opened, and the list of this one may be the first that is loaded. It is loaded
// before the others are even looked at, which may be thousands.
func (u *uploader) windows(lists []listdir.List) [][]listdir.List {
	parsers := 0
	for parsers < len(lists) && lists[parsers].Type == compact.TypeParser && lists[parsers].Format == compactlist.Format {
		parsers++
	}
	if u.operation == securityfs.Delete {
		parsers = 0 // this program has to stay a parser to the end
	}
	return [][]listdir.List{lists[:parsers], lists[parsers:]}
}

func (u *uploader) uploadInWindow(k *kernel.Kernel, uploads []upload, expected *kernel.Expectation) error {
	to, end, err := k.Open(u.operation)
	if err != nil {
		return err
	}
	u.uploadAll(to, uploads, expected)
	return end()
}

// summarize says how it went where that is read after the boot.
func (u *uploader) summarize() {
	if u.Failures > 0 {
		u.log.summary(true, fmt.Sprintf("%s: error: %d lists loaded from %s, %d problems", u.Tool, u.loaded, u.path, u.Failures))
		return
	}
	u.log.summary(false, fmt.Sprintf("%s: %d lists loaded from %s", u.Tool, u.loaded, u.path))
}

// addKeys hands the key lists to the kernel's keyring and returns the others.
func (u *uploader) addKeys(proc string, lists []listdir.List) []listdir.List {
	others := u.withoutKeys(lists)
	if u.operation == securityfs.Delete || len(others) == len(lists) {
		return others
	}
	ring, ringErr := securityfs.FindKeyring(proc)
	for _, l := range lists[:len(lists)-len(others)] { // keys come first
		err := ringErr
		if err == nil {
			err = u.addKey(ring, l)
		}
		u.done(l.File, err)
	}
	return others
}

func (u *uploader) addKey(ring securityfs.Keyring, l listdir.List) error {
	content, err := u.set.ReadInto(l.File, nil)
	if err != nil {
		return err
	}
	if err := u.trust.check(u.set.Path, l, content); err != nil {
		return err
	}
	if err := ring.Add(content); err != nil {
		return err
	}
	return u.trust.learn(content, l.File)
}

// withoutKeys leaves out the key lists, which come first.
func (u *uploader) withoutKeys(lists []listdir.List) []listdir.List {
	for len(lists) > 0 && lists[0].Type == compact.TypeKey {
		lists = lists[1:]
	}
	return lists
}

// uploadAll is all that happens in a window: no file but lists is opened. Failures
// of lists are reported.
func (u *uploader) uploadAll(to kernel.Target, uploads []upload, expected *kernel.Expectation) {
	expected.Begin(to.Count())
	c := &converter{uploader: u}
	for i := range uploads {
		up := &uploads[i]
		var err error
		if up.late {
			up.list, err = c.convertList(*up.List)
		}
		// A list without digests, of a package without files, is none to the kernel.
		if err == nil && len(up.list) > 0 {
			err = to.Upload(up.data())
			expected.Add(up.list, err)
		}
		up.list = nil
		u.done(up.File, err)
	}
	expected.End(to.Count())
}
