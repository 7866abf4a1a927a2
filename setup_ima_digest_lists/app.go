package main

import (
	"digestlists/internal/command"

	"github.com/urfave/cli/v2"
)

const description = `Takes a machine to IMA digest lists, and back. Each COMMAND has options of its own,
which stand after it: setup_ima_digest_lists COMMAND --help lists them.`

func newApp() *command.App {
	app := command.New("setup_ima_digest_lists", "set a machine up for IMA digest lists")
	app.UsageText = "setup_ima_digest_lists COMMAND [options]"
	app.Description = description
	app.SetCommands(commands()...)
	app.Action = func(c *cli.Context) error {
		if err := command.NoArguments(c); err != nil {
			return err
		}
		return command.WithHint(command.Usagef("no command"), "setup_ima_digest_lists --help lists them")
	}
	return app
}

// commands are what the tool can be told to do, in the order of --help. Each has a
// file of its own.
func commands() []*cli.Command {
	return []*cli.Command{
		preflightCommand(),
		bootloaderCommand(),
		parserCommand(),
		distroCommand(),
		immutableCommand(),
		mutableCommand(),
	}
}

// rootFlag is the option of all commands that work on files of the system.
func rootFlag() cli.Flag {
	return &cli.StringFlag{Name: "root", Usage: "work on the system below `DIR`, not on the running one"}
}
