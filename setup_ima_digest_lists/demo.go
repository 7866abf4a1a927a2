package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"digestlists/internal/command"
	"digestlists/parsers/rpmdb"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// demoName is the name under which the tool runs sequences of its commands.
const demoName = "setup_ima_digest_lists_demo"

const demoDescription = `Runs the commands of setup_ima_digest_lists that make the lists of a usual system, and prints
each. With KEY and CERT, lists are signed.

   distro            lists of the parser and of all packages
   immutable         lists of measured files of /etc, and of modules of the kernel
   mutable-generate  lists of measured files of /root, and of files of /var and modules
   mutable-sign      signs those once they were updated, at the next boot
   initial           in one: lists of the parser and of packages, of what else is in /usr and
                     /etc/ima, and of mutable files of /etc, /root and /var
   final             when EVM has its key: has it vouch for the mutable files`

func newDemoApp() *command.App {
	app := command.New(demoName, "make the lists of a usual system")
	app.UsageText = demoName + " distro|immutable|mutable-generate|mutable-sign|initial|final [KEY CERT]"
	app.Description = demoDescription
	app.Flags = []cli.Flag{rootFlag()}
	app.Action = advised(demoName, runDemo, nil)
	return app
}

// A demo is a run of a sequence.
type demo struct {
	c    *cli.Context
	sign []string // options that sign, none without a key
}

func runDemo(c *cli.Context) error {
	args := c.Args().Slice()
	d := &demo{c: c}
	switch len(args) {
	case 0:
		return command.WithHint(command.Usagef("no sequence"), demoName+" --help lists them")
	case 1:
	case 3:
		d.sign = []string{"-s", "-v", args[1], "-x", args[2]}
	default:
		return command.Usagef("want a sequence, and maybe a key and its certificate")
	}
	steps, err := d.steps(args[0])
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := d.run(step); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) steps(sequence string) ([][]string, error) {
	modules := modulesFolder(d.c.String("root"))
	switch sequence {
	case "distro":
		return [][]string{{"parser"}, {"distro", "-a"}}, nil
	case "immutable":
		return [][]string{{"immutable", "-i", "-D", "/etc"}, {"immutable", "-D", modules, "-a"}}, nil
	case "mutable-generate":
		return [][]string{{"mutable", "-g", "-i", "-D", "/root"}, {"mutable", "-g", "-D", "/var " + modules, "-a"}}, nil
	case "mutable-sign":
		if d.sign == nil {
			return nil, command.Usagef("mutable-sign needs a key and its certificate")
		}
		return [][]string{{"mutable", "-a"}}, nil
	case "initial":
		return [][]string{
			{"parser"}, {"distro"}, {"immutable", "-D", "/usr /etc/ima"}, {"mutable", "-g", "-D", "/etc /root /var", "-a"},
		}, nil
	case "final":
		return [][]string{{"mutable", "--hmac"}}, nil
	}
	return nil, command.Usagef("unknown sequence %q", sequence)
}

// modulesFolder is where the modules of the running kernel are, or of all kernels below
// another root.
func modulesFolder(root string) string {
	if root != "" && root != "/" {
		return "/lib/modules"
	}
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "/lib/modules"
	}
	return "/lib/modules/" + unix.ByteSliceToString(u.Release[:])
}

// run runs one command. That there was nothing to do, or is no RPM database, does
// not end a sequence.
func (d *demo) run(step []string) error {
	if root := d.c.String("root"); root != "" {
		step = slices.Insert(slices.Clone(step), 1, "--root", root)
	}
	if !slices.Contains(step, "--hmac") {
		step = append(step, d.sign...)
	}
	app := newApp()
	app.Writer, app.ErrWriter = d.c.App.Writer, d.c.App.ErrWriter
	fmt.Fprintln(app.Writer, "+", app.Name, quoteWords(step))
	err := app.App.Run(append([]string{app.Name}, step...))
	var e *command.Error
	if errors.Is(err, rpmdb.ErrNoDatabase) || errors.As(err, &e) && e.Code == command.ExitNothing {
		fmt.Fprintf(os.Stderr, "%s: left out: %v\n", demoName, err)
		return nil
	}
	return err
}

func quoteWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		if strings.Contains(word, " ") {
			word = `"` + word + `"`
		}
		quoted[i] = word
	}
	return strings.Join(quoted, " ")
}
