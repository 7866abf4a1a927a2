package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"digestlists/internal/bootloader"
	"digestlists/internal/command"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
)

func bootloaderCommand() *cli.Command {
	return &cli.Command{
		Name:  "bootloader",
		Usage: "boot entries with the kernel arguments of a mode",
		Description: "Adds entries to the menu of the boot loader, beside those that are there, which still\n" +
			"boot and stay the default. GRUB, files of the Boot Loader Specification and grubby are known.",
		Subcommands: []*cli.Command{bootloaderAdd(), bootloaderShow(), bootloaderRemove()},
	}
}

// argumentFlags are the options that kernel arguments depend on.
func argumentFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "pcr", Value: "11", Usage: "`N` or +N: the register for what no list knows; with +, PCR 10 stays as without lists"},
		&cli.StringFlag{Name: "hash", Value: "sha256", Usage: "`ALGORITHM` with which the kernel hashes files"},
		&cli.BoolFlag{Name: "metadata", Usage: "there are lists of type metadata: with an EVM key, the kernel is to ask for them", DisableDefaultText: true},
	}
}

func bootloaderAdd() *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "add an entry for each kernel, or replace those of the mode",
		UsageText: "setup_ima_digest_lists bootloader add measure|log|enforce [options]",
		Flags:     append([]cli.Flag{rootFlag()}, argumentFlags()...),
		Action: func(c *cli.Context) error {
			mode, err := oneMode(c)
			if err != nil {
				return err
			}
			args := setup.Arguments(mode, c.String("pcr"), c.String("hash"), c.Bool("metadata"))
			l, err := detect(c, args)
			if err != nil {
				return err
			}
			return l.Add(bootloader.Entry{Name: string(mode), Args: args})
		},
	}
}

func bootloaderShow() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "print the boot loader and the entries that were added",
		Flags: []cli.Flag{rootFlag(), &cli.BoolFlag{Name: "json", Usage: "print them as JSON"}},
		Action: func(c *cli.Context) error {
			if err := command.NoArguments(c); err != nil {
				return err
			}
			l, err := detect(c, nil)
			if err != nil {
				return err
			}
			entries, err := l.Entries()
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(struct {
					Loader  string             `json:"loader"`
					Entries []bootloader.Entry `json:"entries"`
				}{l.Name(), append([]bootloader.Entry{}, entries...)})
			}
			fmt.Fprintln(c.App.Writer, l.Name())
			for _, e := range entries {
				fmt.Fprintf(c.App.Writer, "%-8s %s\n", e.Name, strings.Join(e.Args, " "))
			}
			return nil
		},
	}
}

func bootloaderRemove() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "remove the entries of a mode",
		UsageText: "setup_ima_digest_lists bootloader remove measure|log|enforce [options]",
		Flags:     []cli.Flag{rootFlag()},
		Action: func(c *cli.Context) error {
			mode, err := oneMode(c)
			if err != nil {
				return err
			}
			l, err := detect(c, nil)
			if err != nil {
				return err
			}
			if err := l.Remove(string(mode)); !errors.Is(err, bootloader.ErrAbsent) {
				return err
			}
			return command.WithCode(command.ExitNothing, fmt.Errorf("there are no entries %s", mode))
		},
	}
}

// oneMode returns the mode whose entries are to be changed, which is for root.
func oneMode(c *cli.Context) (setup.Mode, error) {
	if c.NArg() != 1 {
		return "", command.Usagef("arguments %q, want one of measure, log and enforce", c.Args().Slice())
	}
	mode, err := setup.ParseMode(c.Args().First())
	if err != nil {
		return "", command.Usagef("%w", err)
	}
	return mode, mustBeRoot(c.String("root"))
}

// detect finds the boot loader; of one that is not known, it says what to do by hand.
func detect(c *cli.Context, args []string) (bootloader.Loader, error) {
	l, err := bootloader.Detect(c.String("root"))
	if errors.Is(err, bootloader.ErrUnknown) && args != nil {
		err = command.WithHint(err, "by hand: copy the boot entry and add to its kernel arguments: "+strings.Join(args, " "))
	}
	return l, err
}
