package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "what is loaded, signed, measured and unknown since boot, and out of date",
		Description: "The exit code is 1 if lists are unsigned, files are unknown, an initramfs is out of date, or\n" +
			"something could not be found out; 4 if this kernel has no digest lists.",
		Flags: []cli.Flag{
			rootFlag(),
			&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
			&cli.BoolFlag{Name: "json", Usage: "print it as JSON", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			if err := command.NoArguments(c); err != nil {
				return err
			}
			root, err := absoluteRoot(c)
			if err != nil {
				return err
			}
			s := setup.ReadStatus(root, c.String("dir"))
			if err := printStatus(c.App.Writer, s, c.Bool("json")); err != nil {
				return err
			}
			switch {
			case s.Unsupported():
				return &command.Error{Code: command.ExitUnsupported}
			case !s.Good():
				return command.Failed()
			}
			return nil
		},
	}
}

func printStatus(w io.Writer, s *setup.Status, asJSON bool) error {
	if asJSON {
		return printJSON(w, s)
	}
	var out strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&out, "%-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("set up", "%s", cmp.Or(s.SetUp, "not by setup_ima_digest_lists"))
	if s.Unsupported() {
		line("loaded", "nothing: this kernel has no digest lists")
	} else if s.Loaded != nil {
		line("loaded", "%d digests", *s.Loaded)
	}
	line("lists", "%d, %d of them unsigned", s.Lists, len(s.Unsigned))
	for _, name := range s.Unsigned {
		line("unsigned", "%s", name)
	}
	if s.Boot != nil {
		line("measured", "%d files since boot, %d of them known (%d%%)", s.Boot.Measured, s.Boot.Known, s.Boot.Percent())
		for _, f := range s.Boot.Unknown {
			line("unknown", "%s: %s", f.Path, f.Reason)
		}
	}
	for _, f := range s.Refused {
		line("refused", "%s: %s", f.Path, f.Reason)
	}
	for _, path := range s.Stale {
		line("stale", "%s: preflight says what it lacks", path)
	}
	for _, e := range s.Entries {
		line("boot entry", "%s: %s", e.Name, strings.Join(e.Args, " "))
	}
	for _, text := range s.Unknown {
		line("not known", "%s", text)
	}
	_, err := io.WriteString(w, out.String())
	return err
}
