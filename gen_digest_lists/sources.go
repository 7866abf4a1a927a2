package main

import (
	"errors"
	"io/fs"

	"digestlists/internal/command"
	"digestlists/parsers"
	"digestlists/parsers/ascii"
	"digestlists/parsers/audit"
	"digestlists/parsers/imalog"
	"digestlists/parsers/keylime"
	"digestlists/parsers/plugin"
	"digestlists/parsers/rpmdb"
	"digestlists/parsers/rpmpkg"
	"digestlists/parsers/tree"
)

// sources returns what lists can be made from: a new source is one more row.
func sources(r *request) parsers.Registry {
	return parsers.Registry{
		{Name: "rpm+db", Help: "RPM database of the system, of --root, or --db", Source: rpmdb.Source{}},
		{Name: "rpm+pkg", Help: "RPM packages: files, directories, - for standard input", Source: rpmpkg.Source{}},
		{Name: "ima+ima_ng", Help: "IMA measurement list of the system, or ascii or binary files", Source: imalog.Source{}},
		{Name: "compact", Help: "files and directory trees", Source: r.files()},
		{Name: "unknown", Help: "files that the lists of D: do not know", Source: unknownSource{}},
		{Name: "audit", Help: "files that the audit log tells of: audit.log, kernel log, journal", Source: audit.Source{}},
		{Name: "ascii", Help: "checksum files as sha256sum and the like write them", Source: ascii.Source{Force: r.algorithm, Forced: r.forced}},
		{Name: "keylime", Help: "runtime policies of Keylime", Source: keylime.Source{}},
		{Name: "copy", Help: "a list or certificate as it is", Source: copySource{}},
	}
}

// files is the source of trees, or of the files of records.
func (r *request) files() parsers.Source {
	if r.letters.records {
		return recordSource{r.records}
	}
	return tree.Source{}
}

// plugins returns the formats that plug-ins add. Those that cannot be trusted are
// not among them, and named by the error.
func plugins(dir string) (parsers.Registry, error) {
	reg, err := plugin.Discover(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return reg, err
}

// source returns the source that -f names. A plug-in cannot replace a built-in
// one, and one that is refused matters only to who asks for its format.
func (r *request) source() (parsers.Source, error) {
	if r.letters.filters() && !r.canFilter() {
		return nil, command.WithHint(command.Usagef("-i e: and E: cannot leave files out of what -f %s makes", r.format),
			"they go with compact and unknown, and with rpm lists that -i f:compact converts")
	}
	if f, ok := sources(r).Lookup(r.format); ok {
		return f.Source, nil
	}
	reg, err := plugins(r.pluginDir)
	if f, ok := reg.Lookup(r.format); ok && f.Source != nil {
		return f.Source, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, command.WithHint(command.Usagef("unknown format %q", r.format), "--list-formats prints the formats")
}

// canFilter reports whether the source knows modes and paths and the list is made
// of entries: a raw header or a measurement list is kept as it is.
func (r *request) canFilter() bool {
	return r.format == "compact" || r.format == "unknown" || r.converts()
}

// needsInput tells the formats that find their input themselves from the others.
func needsInput(format string) bool { return format != "rpm+db" && format != "ima+ima_ng" }
