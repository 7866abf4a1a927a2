package main

import (
	"errors"
	"io/fs"
	"slices"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/plugin"
)

// An uploader takes the lists of a set one by one.
type uploader struct {
	*request
	set        *listdir.Set
	trust      *trust
	kernelKeys *kernelKeys
	formats    parsers.Registry // the built-in ones and those of plug-ins
	builtIn    parsers.Registry
	log        *messages // of the reporter
	loaded     int       // lists
	command.Reporter
}

// loadFormats adds the plug-ins' formats to the built-in ones, which they cannot
// replace. A plug-in that is refused must not keep the other lists from being
// loaded.
func (u *uploader) loadFormats() {
	plugins, err := plugin.Discover(u.pluginDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.Warn("%v", err)
	}
	u.builtIn = formats.Lists()
	u.formats = append(u.builtIn[:len(u.builtIn):len(u.builtIn)], plugins...)
}

// parsable leaves out lists that no parser is there for. They may be meant for
// another program, so that they are named and do not count as failures.
func (u *uploader) parsable(lists []listdir.List) []listdir.List {
	if !slices.ContainsFunc(lists, func(l listdir.List) bool { return u.understand(l) != nil }) {
		return lists // which are not copied: there may be thousands
	}
	return slices.DeleteFunc(slices.Clone(lists), func(l listdir.List) bool {
		err := u.understand(l)
		if err != nil {
			u.Warn("%s: left out: %v", l.File, err)
		}
		return err != nil
	})
}

// understand returns why a list cannot be parsed. Key lists need no parser.
func (u *uploader) understand(l listdir.List) error {
	if l.Type == compact.TypeKey {
		return nil
	}
	_, err := u.formats.Parser(l.Format)
	return err
}

// done counts a list that was loaded, or reports one that was not.
func (u *uploader) done(file string, err error) {
	if err == nil {
		u.loaded++
		return
	}
	u.Fail(file, err)
}

// Fail reports a failure of a list, and what to do where that is the same for many.
func (u *uploader) Fail(file string, err error) {
	var foreign *foreignKeyError
	if errors.As(err, &foreign) {
		u.Hint = "setup_ima_digest_lists preflight says which keys this kernel trusts: sign the lists with one of them"
	}
	u.Reporter.Fail(file, err)
}
