package main

import (
	"errors"
	"io"

	"digestlists/internal/command"
	"digestlists/internal/kernel"
	"digestlists/internal/listdir"
	"digestlists/internal/securityfs"
	"digestlists/parsers"
	"digestlists/parsers/plugin"

	"github.com/urfave/cli/v2"
)

const description = `Reads the lists of a directory in the order in which the kernel wants them,
key, parser, file and metadata lists, each by position; checks each one fully; and
loads them into the kernel, or converts them to one compact list with -o.

A list that cannot be loaded is reported and does not stop the others; the exit
code is then 1. A kernel without digest lists is exit code 4.`

func newApp(log *messages) *command.App {
	app := command.New("upload_digest_lists", "load IMA digest lists into the kernel")
	app.UsageText = "upload_digest_lists [-d DIR] [-o FILE]\n" +
		"   upload_digest_lists add|del PATH"
	app.Description = description
	app.Flags = []cli.Flag{
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write a compact list to `FILE` instead, - for standard output"},
		&cli.StringFlag{Name: "emulate", Usage: "upload into a model of the kernel's table, kept in `FILE`"},
		&cli.StringSliceFlag{Name: "cert", Usage: "lists must be signed with the key of the certificate in `FILE`; repeatable"},
		&cli.BoolFlag{Name: "kmsg", Usage: "messages go to the kernel's log as well", DisableDefaultText: true},
		&cli.StringFlag{Name: "securityfs", Usage: "`DIR`ectory where securityfs is mounted (default: " + securityfs.MountPoint + ", mounted if need be)"},
		&cli.StringFlag{Name: "proc", Usage: "`DIR`ectory where proc is mounted (default: " + securityfs.ProcMountPoint + ", mounted if need be)"},
		&cli.StringFlag{Name: "plugin-dir", Value: plugin.DefaultDir, Usage: "`DIR`ectory of parser-NAME"},
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Usage: "with -o: `N`umber of workers", DefaultText: "one for each processor"},
	}
	app.Action = func(c *cli.Context) error {
		if c.Bool("kmsg") {
			log.openKernelLog()
		}
		return run(c, log)
	}
	return app
}

// A request is what to upload, and where to.
type request struct {
	path       string // a directory or a list
	operation  securityfs.Operation
	generation parsers.Generation
	output     string // a compact list instead, or ""
	table      string // a model of the kernel's table instead, or ""
	certs      []string
	securityfs string // "" to mount it if need be
	proc       string // "" to mount it if need be; with securityfs, there is none
	pluginDir  string
	jobs       int
}

func newRequest(c *cli.Context) (*request, error) {
	r := &request{
		path:       c.String("dir"),
		output:     c.String("output"),
		table:      c.String("emulate"),
		certs:      c.StringSlice("cert"),
		securityfs: c.String("securityfs"),
		proc:       c.String("proc"),
		pluginDir:  c.String("plugin-dir"),
		jobs:       c.Int("jobs"),
	}
	if r.table != "" && (r.output != "" || r.securityfs != "" || r.proc != "") {
		return nil, command.Usagef("--emulate takes the place of -o, --securityfs and --proc")
	}
	args := c.Args().Slice()
	if len(args) == 0 {
		return r, nil
	}
	// The form of 0.3.93 on, and the one in which the kernel starts us.
	if len(args) != 2 || args[0] != "add" && args[0] != "del" {
		return nil, command.Usagef("arguments %q, want add PATH or del PATH", args)
	}
	if c.IsSet("dir") {
		return nil, command.Usagef("-d names the directory already: %s takes its path as an argument", args[0])
	}
	r.path, r.generation = args[1], parsers.Gen039
	if args[0] == "del" {
		r.operation = securityfs.Delete
	}
	if r.output != "" && r.operation == securityfs.Delete {
		return nil, command.Usagef("-o goes with add, not with del")
	}
	return r, nil
}

func run(c *cli.Context, log *messages) (err error) {
	r, err := newRequest(c)
	if err != nil {
		return err
	}
	u := &uploader{request: r, log: log, Reporter: command.Reporter{Tool: c.App.Name, Log: log}}
	if r.output != "" || r.table != "" {
		return u.runOffline(c.App.Writer)
	}
	k, disconnect, err := kernel.Connect(r.securityfs, r.proc)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, disconnect()) }()
	if err := u.open(true); err != nil {
		return err
	}
	defer u.set.Close()
	return u.upload(k)
}

// runOffline does what no kernel is needed for.
func (u *uploader) runOffline(stdout io.Writer) error {
	if err := u.open(false); err != nil {
		return err
	}
	defer u.set.Close()
	if u.table != "" {
		return u.emulate(stdout)
	}
	return u.convert(stdout)
}

// open opens the lists, and what is needed to understand and check them.
func (u *uploader) open(running bool) (err error) {
	if u.trust, err = loadTrust(u.certs, running); err != nil {
		return err
	}
	u.loadFormats()
	u.set, err = openLists(u.path)
	return err
}

// openLists opens a directory of lists, or the directory of a single one.
func openLists(path string) (*listdir.Set, error) {
	set, err := listdir.OpenSet(path)
	if errors.Is(err, listdir.ErrName) {
		err = command.WithHint(command.WithCode(command.ExitUsage, err),
			"lists are called <position>-<type>_list-<format>-<name>")
	}
	return set, err
}
