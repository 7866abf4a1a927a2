package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"digestlists/internal/command"
	"digestlists/internal/mutable"

	"github.com/urfave/cli/v2"
)

func mutableCommand() *cli.Command {
	return listCommand(cli.Command{
		Name:      "mutable",
		Usage:     "make lists of files that are written to, and see them through to appraisal",
		UsageText: "setup_ima_digest_lists mutable [-g [-i] [-D DIRS] [-E DIRS] | -u | -r] [options]",
		Description: "-g copies files to " + mutable.Dir + " and lists the copies; at the next boot, -u copies those that have\n" +
			"changed again; -s signs the lists that changed; -r puts the copies in place of the files, at the boot\n" +
			"before appraisal is enforced. Without any of these, does what " + mutable.StateFile + " says: update\n" +
			"or replace.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "generate", Aliases: []string{"g"}, Usage: "make a list of files that no list knows"},
			&cli.BoolFlag{Name: "update", Aliases: []string{"u"}, Usage: "copy files that have changed, and update their lists"},
			&cli.BoolFlag{Name: "replace", Aliases: []string{"r"}, Usage: "replace files that have changed with their copies"},
			&cli.BoolFlag{Name: "hmac", Usage: "write the digests of files that are as they were listed to security.ima, for EVM to vouch for"},
			&cli.BoolFlag{Name: "reboot", Usage: "boot again after files were replaced"},
		}, fileFlags()...),
	}, doMutable)
}

func doMutable(c *cli.Context, w *work) error {
	step, err := mutableStep(c)
	if err != nil {
		return err
	}
	if c.Bool("reboot") && !w.root.Running() {
		return command.Usagef("--reboot: this is not the running system")
	}
	switch step {
	case "generate":
		files, err := w.chooseFiles(c, "mutable")
		if err != nil || len(files) == 0 {
			return err
		}
		return w.listMutable(files)
	case "sign":
		return w.signMutable()
	case "hmac":
		return w.vouch()
	case "":
		return w.followState(c)
	}
	return w.doStep(c, mutable.State(step))
}

// mutableStep tells what the options ask for, "" being what the state says.
func mutableStep(c *cli.Context) (string, error) {
	step := ""
	for _, name := range []string{"generate", "update", "replace", "hmac"} {
		if !c.Bool(name) {
			continue
		}
		if step != "" {
			return "", command.Usagef("--%s and --%s: one at a time", step, name)
		}
		step = name
	}
	for _, name := range []string{"measured", "search", "exclude", "files", "no-edit", "dry-run"} {
		if !c.IsSet(name) {
			continue
		}
		if step == "" {
			step = "generate" // a call of the older tools, which may leave -g out
		}
		if step != "generate" {
			return "", command.Usagef("--%s is for --generate", name)
		}
	}
	if step == "" && c.Bool("sign") {
		step = "sign"
	}
	return step, nil
}

func (w *work) followState(c *cli.Context) error {
	state, err := mutable.ReadState(w.root)
	if err != nil {
		return err
	}
	if state == mutable.Nothing {
		return command.WithHint(command.WithCode(command.ExitNothing, fmt.Errorf("nothing is to be done: there is no %s", w.root.Path(mutable.StateFile))),
			"-g makes a list of mutable files")
	}
	return w.doStep(c, state)
}

func (w *work) doStep(c *cli.Context, step mutable.State) error {
	store, err := mutable.Open(w.root)
	if err != nil {
		return err
	}
	defer store.Close()
	if step == mutable.Update {
		return w.updateMutable(store)
	}
	if err := w.replaceMutable(store); err != nil || !c.Bool("reboot") {
		return err
	}
	return reboot(c.Context)
}

// reboot boots again, so that no program changes the files that were replaced before they
// are appraised.
func reboot(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "systemctl", "--no-block", "reboot")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
