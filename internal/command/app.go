// Package command is what the command lines of all tools have in common: exit
// codes, error text, the version, and options written as getopt(3) takes them.
package command

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// An App is a tool's command line with its streams.
type App struct {
	*cli.App
}

// New returns a tool without flags or action.
func New(name, usage string) *App {
	// The library's own flag also claims -v, which is --verbose here.
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}
	cli.HelpFlag = &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", DisableDefaultText: true}
	cli.VersionPrinter = func(c *cli.Context) { fmt.Fprintf(c.App.Writer, "%s %s\n", c.App.Name, c.App.Version) }
	return &App{&cli.App{
		Name:            name,
		HelpName:        name,
		Usage:           usage,
		Version:         version(),
		HideHelpCommand: true,
		// A comma is part of a value: lists of paths and modifiers are not split.
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return &Error{Code: ExitUsage, Err: err, Hint: name + " --help lists the options"}
		},
	}}
}

// Run runs the tool and returns its exit code.
func (a *App) Run(args []string, stdout, stderr io.Writer) int {
	a.Writer, a.ErrWriter = stdout, stderr
	ordered, err := arrange(a.Flags, a.Commands, args[1:])
	if err == nil {
		err = a.App.Run(append(args[:1:1], ordered...))
	}
	return Report(stderr, a.Name, err)
}

// Main runs the tool with the process's arguments and streams, and exits.
func (a *App) Main() {
	os.Exit(a.Run(os.Args, os.Stdout, os.Stderr))
}

// NoArguments refuses arguments that no option has taken.
func NoArguments(c *cli.Context) error {
	if c.Args().Present() {
		return Usagef("unexpected argument %q", c.Args().First())
	}
	return nil
}

// release is the version of a build from a tarball, where there is no commit for
// the Go tool to record: the Makefile sets it from the file VERSION.
var release string

// version returns the module version that the Go tool recorded in the binary.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
