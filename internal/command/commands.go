package command

import (
	"slices"

	"github.com/urfave/cli/v2"
)

// SetCommands gives a tool commands, each with options of its own, as in `tool
// COMMAND --option`. A command may have commands itself.
func (a *App) SetCommands(commands ...*cli.Command) {
	for _, c := range commands {
		a.prepare(a.Name+" "+c.Name, c)
	}
	a.Commands = commands
}

func (a *App) prepare(name string, c *cli.Command) {
	c.HideHelpCommand = true
	c.OnUsageError = func(_ *cli.Context, err error, _ bool) error {
		return &Error{Code: ExitUsage, Err: err, Hint: name + " --help lists the options"}
	}
	if len(c.Subcommands) > 0 && c.Action == nil {
		c.Action = func(ctx *cli.Context) error {
			return WithHint(unknownCommand(ctx.Args().Slice()), name+" --help lists the commands")
		}
	}
	for _, sub := range c.Subcommands {
		a.prepare(name+" "+sub.Name, sub)
	}
}

func unknownCommand(args []string) error {
	if len(args) == 0 {
		return Usagef("what to do is missing")
	}
	return Usagef("unknown command %q", args[0])
}

// arrange puts the arguments of a tool with commands into the form that the flag
// library takes: the names of commands first, then the options of the last one.
func arrange(flags []cli.Flag, commands []*cli.Command, args []string) ([]string, error) {
	if len(args) > 0 {
		if i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[0]) }); i >= 0 {
			rest, err := arrange(commands[i].Flags, commands[i].Subcommands, args[1:])
			return append([]string{args[0]}, rest...), err
		}
	}
	ordered := normalize(flags, args)
	// The library would look for a command after the options, too, and those
	// options would then be forgotten.
	for _, arg := range ordered[positional(ordered):] {
		for _, c := range commands {
			if c.HasName(arg) {
				return nil, WithHint(Usagef("options before %s: put them after it", arg), "as in: "+arg+" --option")
			}
		}
	}
	return ordered, nil
}

// positional returns where the arguments begin that no option takes.
func positional(ordered []string) int {
	if i := slices.Index(ordered, "--"); i >= 0 {
		return i
	}
	return len(ordered)
}
