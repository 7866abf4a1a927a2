package main

import (
	"fmt"
	"io"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/preflight"

	"github.com/urfave/cli/v2"
)

func preflightCommand() *cli.Command {
	return &cli.Command{
		Name:      "preflight",
		Usage:     "look at the machine and change nothing",
		UsageText: "setup_ima_digest_lists preflight [--root DIR] [-d DIR] [--cert FILE] [--json]",
		Description: "Prints what it finds, each as ok, warning, error or unknown; what is not ok with what that means\n" +
			"and the command that mends it. The exit code is 1 if there is an error or something unknown.",
		Flags: []cli.Flag{
			rootFlag(),
			&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
			&cli.StringFlag{Name: "cert", Value: preflight.DefaultCert, Usage: "`FILE` with the certificate that lists are signed with"},
			&cli.BoolFlag{Name: "json", Usage: "print the findings as JSON"},
		},
		Action: func(c *cli.Context) error {
			if err := command.NoArguments(c); err != nil {
				return err
			}
			findings := preflight.Look(&preflight.Machine{Root: c.String("root"), Dir: c.String("dir"), Cert: c.String("cert")})
			if err := printFindings(c.App.Writer, findings, c.Bool("json")); err != nil {
				return err
			}
			if preflight.Worst(findings).Stops() {
				return command.Failed()
			}
			return nil
		},
	}
}

func printFindings(w io.Writer, findings []preflight.Finding, asJSON bool) error {
	if asJSON {
		return printJSON(w, findings)
	}
	for _, f := range findings {
		text := f.Text
		if f.Verdict != preflight.OK {
			text = fmt.Sprintf("%s: %s\n%21s mend: %s", f.Text, f.Means, "", f.Mend)
		}
		if _, err := fmt.Fprintf(w, "%-8s %-12s %s\n", f.Verdict, f.Check, text); err != nil {
			return err
		}
	}
	return nil
}
