package main

import (
	"cmp"
	"errors"
	"fmt"

	"digestlists/internal/command"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
)

func rollbackCommand() *cli.Command {
	return &cli.Command{
		Name:  "rollback",
		Usage: "take back all that was set up",
		Description: "Restores every file that a set-up has changed, made or removed, with its attributes, also\n" +
			"after a set-up that was cut short. Files that were changed since are named, and nothing is done.",
		Flags: []cli.Flag{
			rootFlag(),
			&cli.BoolFlag{Name: "force", Usage: "restore also files that were changed since", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			root, err := rootToChange(c)
			if err != nil {
				return err
			}
			err = setup.Rollback(c.Context, root, c.Bool("force"), func(step string) { fmt.Fprintln(c.App.Writer, "taken back:", step) })
			var changed *setup.ChangedError
			switch {
			case errors.Is(err, setup.ErrNothing):
				return command.WithCode(command.ExitNothing, err)
			case errors.As(err, &changed):
				return command.WithHint(command.WithCode(command.ExitFailed, err), "keep copies of them, then use --force")
			}
			if errors.Is(err, setup.ErrBusy) {
				return err
			}
			return command.WithHint(err, cmp.Or(command.Cause(err), "mend it")+", and run rollback again: it goes on there")
		},
	}
}
