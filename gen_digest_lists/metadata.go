package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/known"
	"digestlists/internal/metadata"
	"digestlists/internal/owner"

	"github.com/urfave/cli/v2"
)

// parseMetadata understands what is about type metadata, compact_tlv and attributes.
func (r *request) parseMetadata(c *cli.Context) error {
	r.tlv = c.Bool("tlv") || r.letters.tlv
	r.imaGiven = c.IsSet("ima-algorithm")
	ofFiles := r.format == "compact" || r.format == "unknown"
	switch {
	case r.operation != opAdd && r.operation != opAppend:
		return nil
	case r.listType == compact.TypeMetadata && !ofFiles && !isPackageFormat(r.format) && r.format != "copy":
		return command.Usagef("-t metadata goes with rpm+db, rpm+pkg, compact and unknown: -f %s knows no owners and modes", r.format)
	case r.tlv && !ofFiles && !isPackageFormat(r.format):
		return command.Usagef("compact_tlv goes with rpm+db, rpm+pkg, compact and unknown, not with %s", r.format)
	case r.letters.cache && !ofFiles && !isPackageFormat(r.format):
		return command.Usagef("-i f:tlv goes with rpm+db, rpm+pkg, compact and unknown, not with %s", r.format)
	case r.letters.cache && (r.listType != compact.TypeFile || r.modifiers != 0 || c.Bool("tlv")):
		return command.Usagef("-i f:tlv goes with -t file, and with neither -m nor -T: the format has no types and modifiers")
	case r.letters.records && (r.format != "compact" || r.letters.pathsFile == "" || len(r.inputs) > 0):
		return command.Usagef("-i M: says what is in the one file of -i L:, with -f compact")
	case r.letters.listPaths && !ofFiles:
		return command.Usagef("-i G: goes with compact and unknown, not with %s", r.format)
	case (r.letters.setIMA || r.letters.setEVM) && !ofFiles && !isPackageFormat(r.format):
		return command.Usagef("-i x: goes with rpm+db, rpm+pkg, compact and unknown, not with %s", r.format)
	case r.letters.setEVM && r.listType != compact.TypeMetadata:
		return command.Usagef("-i x:evm goes with -t metadata: it says that the lists have the digest of the metadata")
	}
	return nil
}

// converts reports whether the packages' headers become lists of entries.
func (r *request) converts() bool {
	return isPackageFormat(r.format) &&
		(r.letters.convert || r.tlv || r.listType == compact.TypeMetadata || r.letters.setIMA)
}

// prepare reads what entries are completed from, and the lists that know files.
func (r *request) prepare() (err error) {
	if r.format == "unknown" {
		if r.letters.known == "" {
			return command.Usagef("-f unknown needs the directory of known lists (-i D:DIR)")
		}
		if r.known, err = known.Read(r.letters.known); err != nil {
			return err
		}
	}
	if r.format == "copy" || r.listType != compact.TypeMetadata && !r.tlv {
		return nil
	}
	opts := metadata.Options{
		Root: r.root, Passwd: r.letters.passwd, Group: r.letters.group,
		RootOwned: r.letters.rootOwned,
		Labels:    r.letters.label,
		Digest:    r.listType == compact.TypeMetadata,
	}
	if !isPackageFormat(r.format) {
		opts.IMA = &r.imaAlgorithm
	}
	r.completer, err = metadata.New(opts)
	return err
}

// release gives back what prepare took.
func (r *request) release() {
	if r.completer != nil {
		r.completer.Close()
	}
}

// ownerHint adds to errors of users and groups what to do about them.
func ownerHint(err error) error {
	missing, ok := errors.AsType[*fs.PathError](err)
	if errors.Is(err, owner.ErrUnknown) || ok && strings.HasSuffix(missing.Path, "/etc/passwd") || ok && strings.HasSuffix(missing.Path, "/etc/group") {
		return command.WithHint(err, "-i U:FILE and -i g:FILE name the files of users and groups; with -i r: all files belong to root")
	}
	return err
}

// warnings says what was done in another way than one may expect.
func (r *request) warnings() {
	if r.completer != nil && r.completer.Unlabelled > 0 {
		r.warn("%d files are not there, and listed without a label; -i l:policy takes those of the policy", r.completer.Unlabelled)
	}
	for _, p := range r.letters.packages {
		if !p.found {
			r.warn("-i p:%s: the name of no package starts so", p.text)
		}
	}
}

// printPaths prints the paths of the files that would be listed.
func (r *request) printPaths(c *cli.Context) error {
	in, err := r.input(nil)
	if err != nil {
		return err
	}
	src, err := r.source()
	if err != nil {
		return err
	}
	var out strings.Builder
	for list, err := range src.Lists(c.Context, in) {
		if err != nil {
			return err
		}
		for e, err := range r.entries(list) {
			if err != nil {
				return err
			}
			path := filepath.Join("/", r.root, e.Path)
			if strings.Contains(path, "\n") {
				return fmt.Errorf("%q: a newline in a path, which a file of paths cannot have", path)
			}
			out.WriteString(path + "\n")
		}
	}
	_, err = fmt.Fprint(c.App.Writer, out.String())
	return err
}
