package main

import (
	"fmt"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/digestcache"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers/plugin"

	"github.com/urfave/cli/v2"
)

const description = `Does what -p says with the lists of a directory, or with the one that -f names:

%s
A list that cannot be read is reported and does not stop the others; the exit code
is then 1. So it is where a check finds a difference, or a file cannot be changed.`

func newApp() *command.App {
	app := command.New("manage_digest_lists", "show, compare and apply IMA digest lists")
	app.UsageText = "manage_digest_lists [-d DIR] [-f NAME] -p OPERATION [options] [arguments]"
	app.Description = fmt.Sprintf(description, operationsHelp())
	app.Flags = append(flags(), predictionFlags()...)
	app.Action = run
	return app
}

func flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Usage: "digest list `DIR`ectory", DefaultText: listdir.Default + " of the root"},
		&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "only the list `NAME` of the directory"},
		&cli.StringFlag{Name: "operation", Aliases: []string{"p"}, Usage: "`OPERATION`, see above"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, - for standard output"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say more"},
		&cli.StringFlag{Name: "root", Usage: "the files are those below `DIR`", DefaultText: "/"},
		&cli.StringSliceFlag{Name: "input", Aliases: []string{"i"}, Usage: "`PATH` of packages, files or measurement lists, as the operation says; may be repeated"},
		&cli.StringFlag{Name: "cache", Usage: "`DIR`ectory of lists of the Integrity Digest Cache", DefaultText: digestcache.Default + " of the root"},
		&cli.StringFlag{Name: "db", Usage: "RPM database `PATH`, a file or directory", DefaultText: "that of the root"},
		&cli.StringSliceFlag{Name: "cert", Usage: "`FILE` or directory of trusted certificates; may be repeated", DefaultText: keysFolder + " of the root"},
		&cli.StringSliceFlag{Name: "rpm-keys", Usage: "`FILE` with OpenPGP keys of package vendors; may be repeated"},
		&cli.BoolFlag{Name: "dry-run", Usage: "say what would be done and change nothing"},
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Usage: "`N`umber of workers", DefaultText: "one for each processor"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON, one record a line"},
		&cli.StringFlag{Name: "emulate", Usage: "add digests to a model of the kernel's table, kept in `FILE`"},
		&cli.StringFlag{Name: "securityfs", Usage: "`DIR`ectory where securityfs is mounted (default: " + securityfs.MountPoint + ", mounted if need be)"},
		&cli.StringFlag{Name: "proc", Usage: "`DIR`ectory where proc is mounted (default: " + securityfs.ProcMountPoint + ", mounted if need be)"},
		&cli.StringFlag{Name: "plugin-dir", Value: plugin.DefaultDir, Usage: "`DIR`ectory of parser-NAME"},
	}
}

func predictionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "pcr", Value: 11, Usage: "the kernel has ima_digest_list_pcr=`N`"},
		&cli.StringFlag{Name: "pcrs", Usage: "`FILE` with the PCR values of the boot, for boot_aggregate"},
		&cli.StringFlag{Name: "template", Value: "ima-ng", Usage: "measurement template `NAME`: ima-ng or ima-sig"},
		&cli.StringFlag{Name: "algorithm", Value: "sha256", Usage: "the kernel's ima_hash `ALGORITHM`, for files that of the lists by default"},
		&cli.BoolFlag{Name: "boot", Usage: "the kernel reads signed compact lists itself, from an initramfs"},
		&cli.StringFlag{Name: "parser", Usage: "`PATH` of the program that the kernel starts, below the root"},
		&cli.BoolFlag{Name: "binary", Usage: "write the list in binary"},
	}
}

// An operation is a value of -p.
type operation struct {
	name    string
	summary string
	args    []string // names of its arguments, all needed
	options []string // that it takes besides those of all operations
	run     func(*job) error
}

// ofAll are the options that every operation takes.
var ofAll = []string{"operation", "verbose", "root", "plugin-dir"}

// operationsHelp is the part of the help that lists the operations.
func operationsHelp() string {
	var text strings.Builder
	for _, op := range operations() {
		fmt.Fprintf(&text, "   %-25s %s\n", strings.Join(append([]string{op.name}, op.args...), " "), op.summary)
	}
	return text.String()
}

// A job is one run of an operation.
type job struct {
	*cli.Context
	operation
	command.Reporter
}

func run(c *cli.Context) error {
	op, err := chosen(c.String("operation"))
	if err != nil {
		return err
	}
	if err := op.checkUsage(c); err != nil {
		return err
	}
	j := &job{Context: c, operation: op, Reporter: command.Reporter{Tool: c.App.Name, Log: c.App.ErrWriter}}
	if err := op.run(j); err != nil {
		return err
	}
	return j.Result()
}

func chosen(name string) (operation, error) {
	all := operations()
	i := slices.IndexFunc(all, func(op operation) bool { return op.name == name })
	switch {
	case name == "":
		return operation{}, command.WithHint(command.Usagef("no operation (-p)"), "manage_digest_lists --help lists them")
	case i < 0:
		return operation{}, command.WithHint(command.Usagef("unknown operation %q", name), "manage_digest_lists --help lists them")
	}
	return all[i], nil
}

// checkUsage refuses options and arguments that have no meaning for the operation.
func (op *operation) checkUsage(c *cli.Context) error {
	for _, f := range c.App.Flags {
		name := f.Names()[0]
		if c.IsSet(name) && !slices.Contains(ofAll, name) && !slices.Contains(op.options, name) {
			return command.Usagef("--%s is not for -p %s", name, op.name)
		}
	}
	if c.NArg() != len(op.args) {
		if len(op.args) == 0 {
			return command.NoArguments(c)
		}
		return command.Usagef("%d arguments, want %s %s", c.NArg(), op.name, strings.Join(op.args, " "))
	}
	return nil
}
