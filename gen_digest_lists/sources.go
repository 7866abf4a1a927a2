package main

import (
	"errors"
	"io/fs"

	"digestlists/internal/command"
	"digestlists/parsers"
	"digestlists/parsers/ascii"
	"digestlists/parsers/imalog"
	"digestlists/parsers/plugin"
	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmpkg"
	"digestlists/parsers/tree"
)

// sources returns what lists can be made from: a new source is one more row. The
// plug-ins of the plug-in directory come after the built-in ones, which they
// cannot replace.
func sources(r *request) (parsers.Registry, error) {
	reg := parsers.Registry{
		{Name: "rpm+db", Help: "RPM database of the system, of --root, or --db", Source: rpmdb.Source{}},
		{Name: "rpm+pkg", Help: "RPM packages: files, directories, - for standard input", Source: rpmpkg.Source{}},
		{Name: "ima+ima_ng", Help: "IMA measurement list of the system, or ascii or binary files", Source: imalog.Source{}},
		{Name: "compact", Help: "files and directory trees", Source: tree.Source{}},
		{Name: "unknown", Help: "files that the lists of D: do not know", Source: unknownSource{known: r.letters.known}},
		{Name: "ascii", Help: "checksum files as sha256sum and the like write them", Source: ascii.Source{Force: r.algorithm, Forced: r.forced}},
		{Name: "copy", Help: "a list or certificate as it is", Source: copySource{}},
	}
	plugins, err := plugin.Discover(r.pluginDir)
	if errors.Is(err, fs.ErrNotExist) {
		return reg, nil
	}
	if err != nil {
		return nil, err
	}
	return append(reg, plugins...), nil
}

// source returns the source that -f names.
func (r *request) source() (parsers.Source, error) {
	reg, err := sources(r)
	if err != nil {
		return nil, err
	}
	f, ok := reg.Lookup(r.format)
	if !ok || f.Source == nil {
		return nil, command.WithHint(command.Usagef("unknown format %q", r.format), "--list-formats prints the formats")
	}
	return f.Source, nil
}

// needsInput tells the formats that find their input themselves from the others.
func needsInput(format string) bool { return format != "rpm+db" && format != "ima+ima_ng" }
