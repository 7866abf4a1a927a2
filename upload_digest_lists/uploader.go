package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/parsers"
	"digestlists/parsers/formats"
	"digestlists/parsers/plugin"
)

// compactFormat is the one format that the kernel reads itself.
const compactFormat = "compact"

// An uploader takes the lists of a set one by one.
type uploader struct {
	*request
	set     *listdir.Set
	trust   *trust
	formats parsers.Registry // the built-in ones and those of plug-ins
	builtIn parsers.Registry
	reporter
}

// loadFormats adds the plug-ins' formats to the built-in ones, which they cannot
// replace. A plug-in that is refused must not keep the other lists from being
// loaded.
func (u *uploader) loadFormats() {
	plugins, err := plugin.Discover(u.pluginDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.warn("%v", err)
	}
	u.builtIn = formats.Lists()
	u.formats = append(u.builtIn[:len(u.builtIn):len(u.builtIn)], plugins...)
}

// parsable leaves out lists that no parser is there for. They may be meant for
// another program, so that they are named and do not count as failures.
func (u *uploader) parsable(lists []listdir.List) []listdir.List {
	var kept []listdir.List
	for _, l := range lists {
		if l.Type != compact.TypeKey {
			if _, err := u.formats.Parser(l.Format); err != nil {
				u.warn("%s: left out: %v", l.File, err)
				continue
			}
		}
		kept = append(kept, l)
	}
	return kept
}

// A reporter prints problems as they happen and counts them.
type reporter struct {
	tool     string
	log      *messages
	loaded   int // lists
	failures int
}

// done counts a list that was loaded, or reports one that was not.
func (r *reporter) done(file string, err error) {
	if err == nil {
		r.loaded++
		return
	}
	r.fail(file, err)
}

// fail reports a list that is not loaded.
func (r *reporter) fail(file string, err error) {
	if strings.Contains(err.Error(), file) {
		r.problem(err)
		return
	}
	r.problem(fmt.Errorf("%s: %w", file, err))
}

func (r *reporter) problem(err error) {
	r.failures++
	fmt.Fprintf(r.log, "%s: error: %v\n", r.tool, err)
}

func (r *reporter) warn(format string, args ...any) {
	fmt.Fprintf(r.log, "%s: warning: %s\n", r.tool, fmt.Sprintf(format, args...))
}

// result is the error with which a run ends that reported all failures.
func (r *reporter) result() error {
	if r.failures > 0 {
		return command.Failed()
	}
	return nil
}
