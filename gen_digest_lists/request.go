package main

import (
	"fmt"
	"path/filepath"
	"runtime"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/filemeta"
	"digestlists/internal/known"
	"digestlists/internal/metadata"
	"digestlists/parsers"

	"github.com/urfave/cli/v2"
)

// A request is a command line that was understood and checked.
type request struct {
	dir       string
	format    string
	operation string
	position  int
	listType  compact.Type
	modifiers compact.Modifiers
	algorithm compact.Algorithm
	root      string
	db        string
	forced    bool // -f ascii: the algorithm is not to be guessed
	letters   letters
	inputs    []string

	tlv          bool // write compact_tlv
	imaAlgorithm compact.Algorithm
	imaGiven     bool // by -I, not by default
	warn         func(format string, args ...any)

	completer *metadata.Completer // nil if lists hold no metadata
	known     known.Set           // of -f unknown
	records   []record            // of M:
	targets   []filemeta.File     // that get attributes

	generation parsers.Generation
	signing    signing
	sync       syncMode
	json       bool
	dryRun     bool
	jobs       int
	pluginDir  string
}

const (
	opAdd    = "add"
	opAppend = "append"
	opRemove = "remove"
	opSign   = "sign"
)

func newRequest(c *cli.Context) (*request, error) {
	if err := command.NoArguments(c); err != nil {
		return nil, err
	}
	r := &request{
		dir:       c.String("dir"),
		format:    c.String("format"),
		operation: c.String("operation"),
		position:  c.Int("position"),
		root:      c.String("root"),
		db:        c.String("db"),
		forced:    c.Bool("checksum-algorithm"),
		sync:      *c.Generic("sync").(*syncMode),
		json:      c.Bool("json"),
		dryRun:    c.Bool("dry-run"),
		jobs:      c.Int("jobs"),
		pluginDir: c.String("plugin-dir"),
	}
	r.warn = (&command.Reporter{Tool: c.App.Name, Log: c.App.ErrWriter}).Warn
	if r.jobs <= 0 {
		r.jobs = runtime.GOMAXPROCS(0)
	}
	for _, parse := range []func(*cli.Context) error{r.parseInputs, r.parseNames, r.parseSigning, r.check, r.checkMisplaced, r.parseMetadata} {
		if err := parse(c); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *request) parseInputs(c *cli.Context) error {
	var err error
	if r.letters, r.inputs, err = parseLetters(c.StringSlice("input")); err != nil {
		return err
	}
	if r.root != "" {
		if r.root, err = filepath.Abs(r.root); err != nil {
			return err
		}
	}
	r.generation = parsers.Gen03
	if r.letters.used || c.IsSet("tlv") || c.IsSet("ima-algorithm") || c.IsSet("root") || c.String("type") == "metadata" {
		r.generation = parsers.Gen039
	}
	return nil
}

func (r *request) parseNames(c *cli.Context) error {
	var err error
	if r.algorithm, err = compact.ParseAlgorithm(c.String("algorithm")); err != nil {
		return command.Usagef("-a: %w", err)
	}
	if r.imaAlgorithm, err = compact.ParseAlgorithm(c.String("ima-algorithm")); err != nil {
		return command.Usagef("-I: %w", err)
	}
	if r.modifiers, err = compact.ParseModifiers(c.String("modifiers")); err != nil {
		return command.Usagef("-m: %w", err)
	}
	if !c.IsSet("type") {
		return nil
	}
	if r.listType, err = compact.ParseType(c.String("type")); err != nil {
		return command.Usagef("-t: %w", err)
	}
	return nil
}

// check refuses combinations that no operation understands.
func (r *request) check(c *cli.Context) error {
	if r.sync.any() && r.operation == "" {
		r.operation = opAppend
	}
	switch r.operation {
	case opAdd, opAppend:
		if r.format == "" {
			return command.WithHint(command.Usagef("-o %s needs a format (-f)", r.operation), "--list-formats prints them")
		}
	case opRemove, opSign:
		if r.sync.any() {
			return command.Usagef("--sync goes with add and append, not with %s", r.operation)
		}
	case "":
		return command.Usagef("no operation (-o add, append, remove or sign)")
	default:
		return command.Usagef("unknown operation %q, want add, append, remove or sign", r.operation)
	}
	if !c.IsSet("type") && (r.operation != opSign || len(r.inputs) == 0) {
		return command.Usagef("-o %s needs a list type (-t key, parser, file or metadata)", r.operation)
	}
	if r.sync.any() && r.format != "rpm+db" {
		return command.Usagef("--sync goes with -f rpm+db, not with %s", r.format)
	}
	if r.listType == compact.TypeKey && r.format != "" && r.format != "copy" {
		return command.Usagef("-t key goes with -f copy: a key list is a certificate")
	}
	if r.position < -1 {
		return command.Usagef("-p: position %d, want -1 or more", r.position)
	}
	return nil
}

// listModifiers returns what -m says, or what the list type implies: 0.3 marks
// the digests of every type but file as immutable.
func (r *request) listModifiers() compact.Modifiers {
	if r.generation == parsers.Gen03 && r.listType != compact.TypeFile {
		return r.modifiers | compact.Immutable
	}
	return r.modifiers
}

// syncMode is how the directory follows the database. Its zero value is off.
type syncMode struct {
	add, prune bool
}

func (s *syncMode) any() bool { return s.add || s.prune }

// IsBoolFlag makes the value optional: --sync, or --sync=add.
func (*syncMode) IsBoolFlag() bool { return true }

func (s *syncMode) String() string { return "" }

// Set implements flag.Value; a bare --sync arrives as "true".
func (s *syncMode) Set(how string) error {
	modes := map[string]syncMode{"true": {true, true}, "all": {true, true}, "add": {add: true}, "prune": {prune: true}}
	mode, ok := modes[how]
	if !ok {
		return fmt.Errorf("unknown mode %q, want add or prune", how)
	}
	*s = mode
	return nil
}
