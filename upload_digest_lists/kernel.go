package main

import (
	"errors"
	"fmt"
	"time"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
)

// A kernel is where the running kernel is talked to.
type kernel struct {
	root  string                // of securityfs
	proc  string                // of proc; "" for a stand-in, which tells nothing about itself
	sleep func(d time.Duration) // while another program uploads
}

// connect finds the kernel's files, and mounts what is missing. The kernel has
// digest lists where there is no error.
func (r *request) connect() (k *kernel, disconnect func() error, err error) {
	k = &kernel{root: r.securityfs, proc: r.proc, sleep: time.Sleep}
	disconnect = func() error { return nil }
	if k.root == "" {
		if disconnect, err = securityfs.Mount(); err != nil {
			return nil, nil, err
		}
		k.root = securityfs.MountPoint
		if k.proc == "" {
			k.proc = securityfs.ProcMountPoint
		}
	}
	if err := securityfs.Check(k.root); err != nil {
		return nil, nil, errors.Join(unsupported(err), disconnect())
	}
	return k, disconnect, nil
}

func unsupported(err error) error {
	if errors.Is(err, securityfs.ErrUnsupported) {
		return command.WithCode(command.ExitUnsupported, err)
	}
	return err
}

// upload loads the lists into the kernel. Everything that opens files other than
// lists happens before or after the window.
func (u *uploader) upload(k *kernel) error {
	setup := securityfs.Setup{}
	if k.proc != "" {
		setup = securityfs.ReadSetup(k.root, k.proc)
	}
	if err := setup.Check(u.set.Path); err != nil {
		var refusal *securityfs.Refusal
		errors.As(err, &refusal)
		return command.WithHint(err, refusal.Change)
	}
	expected := newExpectation()
	var spent int64
	for i, lists := range u.windows(u.addKeys(k.proc, u.parsable(u.set.Lists))) {
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
	if mismatch := expected.check(u.operation); mismatch != nil {
		u.problem(mismatch)
	}
	u.summarize()
	return u.result()
}

// windows splits the lists where the kernel has to look again at who uploads: it
// takes data only from a program that was in a parser list when the window was
// opened, and the list of this one may be the first that is loaded. It is loaded
// before the others are even looked at, which may be thousands.
func (u *uploader) windows(lists []listdir.List) [][]listdir.List {
	parsers := 0
	for parsers < len(lists) && lists[parsers].Type == compact.TypeParser && lists[parsers].Format == compactFormat {
		parsers++
	}
	if u.operation == securityfs.Delete {
		parsers = 0 // this program has to stay a parser to the end
	}
	return [][]listdir.List{lists[:parsers], lists[parsers:]}
}

func (u *uploader) uploadInWindow(k *kernel, uploads []upload, expected *expectation) error {
	window, err := securityfs.Open(k.root, u.operation, k.sleep)
	if err != nil {
		return unsupported(err)
	}
	var to target = window
	if k.proc == "" {
		to = uncounted{window}
	}
	u.uploadAll(to, uploads, expected)
	return window.Close()
}

// uncounted is a stand-in for a kernel, whose count nobody keeps.
type uncounted struct{ *securityfs.Window }

func (uncounted) Count() (int, bool) { return 0, false }

// summarize says how it went where that is read after the boot.
func (u *uploader) summarize() {
	if u.failures > 0 {
		u.log.summary(true, fmt.Sprintf("%s: error: %d lists loaded from %s, %d problems", u.tool, u.loaded, u.path, u.failures))
		return
	}
	u.log.summary(false, fmt.Sprintf("%s: %d lists loaded from %s", u.tool, u.loaded, u.path))
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
	return ring.Add(content)
}

// withoutKeys leaves out the key lists, which come first.
func (u *uploader) withoutKeys(lists []listdir.List) []listdir.List {
	for len(lists) > 0 && lists[0].Type == compact.TypeKey {
		lists = lists[1:]
	}
	return lists
}

// A target takes one list at a time, as data or as a path, and knows how many
// digests are known: the kernel, or its model.
type target interface {
	Upload(data []byte) error
	Count() (n int, ok bool)
}

// uploadAll is all that happens in a window: no file but lists is opened. Failures
// of lists are reported.
func (u *uploader) uploadAll(to target, uploads []upload, expected *expectation) {
	expected.begin(to.Count())
	c := &converter{uploader: u}
	for i := range uploads {
		up := &uploads[i]
		var err error
		if up.late {
			up.list, err = c.convertList(up.List)
		}
		// A list without digests, of a package without files, is none to the kernel.
		if err == nil && len(up.list) > 0 {
			err = to.Upload(up.data())
			expected.add(up.list, err)
		}
		up.list = nil
		u.done(up.File, err)
	}
	expected.end(to.Count())
}
