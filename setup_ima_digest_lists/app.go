package main

import (
	"digestlists/internal/command"

	"github.com/urfave/cli/v2"
)

const description = `Takes a machine to IMA digest lists, and back.

Without a command, looks at the machine, asks what is wanted, shows the plan, and does
it step by step. An interrupted run goes on where it stopped; rollback takes all back.
Each step is a command, too, with options of its own that stand after it:
setup_ima_digest_lists COMMAND --help lists them.`

func newApp() *command.App {
	app := command.New("setup_ima_digest_lists", "set a machine up for IMA digest lists")
	app.UsageText = "setup_ima_digest_lists [--root DIR] [--config FILE] [--yes] [--dry-run]\n" +
		"   setup_ima_digest_lists COMMAND [options]"
	app.Description = description
	app.Flags = wizardFlags()
	all := commands()
	app.SetCommands(all...)
	app.Action = advised(app.Name, runWizard, all)
	return app
}

// commands are what the tool can be told to do, in the order of --help. Each has a
// file of its own.
func commands() []*cli.Command {
	return []*cli.Command{
		preflightCommand(),
		bootloaderCommand(),
		rollbackCommand(),
		statusCommand(),
		gateCommand(),
		checkCommand(),
		updatesCommand(),
		initramfsCommand(),
		parserCommand(),
		distroCommand(),
		immutableCommand(),
		mutableCommand(),
		keysCommand(),
		policyCommand(),
	}
}

// rootFlag is the option of all commands that work on files of the system.
func rootFlag() cli.Flag {
	return &cli.StringFlag{Name: "root", Usage: "work on the system below `DIR`, not on the running one"}
}
