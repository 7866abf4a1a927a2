package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"digestlists/internal/command"
	"digestlists/internal/imapolicy"
	"digestlists/internal/imapolicy/ready"
	"digestlists/internal/regular"

	"github.com/urfave/cli/v2"
)

func policyCommand() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "policies of IMA: ready ones, checks, loading",
		Description: "A POLICY is the name of a ready policy, as `policy list` prints them, or a file;\n" +
			"a file of such a name is given as ./NAME.",
		Subcommands: []*cli.Command{policyList(), policyShow(), policyCheck(), policyLoad()},
	}
}

func userFlag() cli.Flag {
	return &cli.Uint64Flag{Name: "uid", Usage: "`ID` of the user that a user-signed policy restricts", DefaultText: "1000"}
}

func policyList() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "print the ready policies; those that end in -lists are for kernels with digest lists",
		Action: func(c *cli.Context) error {
			if err := command.NoArguments(c); err != nil {
				return err
			}
			all, err := ready.All()
			if err != nil {
				return err
			}
			for _, p := range all {
				fmt.Fprintf(c.App.Writer, "%-20s %s\n", p.Name, p.Summary)
			}
			return nil
		},
	}
}

func policyShow() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print a ready policy",
		UsageText: "setup_ima_digest_lists policy show NAME [--uid ID]",
		Flags:     []cli.Flag{userFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return command.Usagef("arguments %q, want the name of a policy", c.Args().Slice())
			}
			p, err := readyPolicy(c, c.Args().First())
			if errors.Is(err, ready.ErrUnknown) {
				return command.WithHint(command.Usagef("%w", err), "setup_ima_digest_lists policy list")
			}
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(p.Content)
			return err
		},
	}
}

// readyPolicy returns a ready policy, for another user if --uid is given.
func readyPolicy(c *cli.Context, name string) (*ready.Policy, error) {
	p, err := ready.Find(name)
	if err != nil || !c.IsSet("uid") {
		return p, err
	}
	uid := c.Uint64("uid")
	if uid >= math.MaxUint32 {
		return nil, command.Usagef("--uid %d, want at most %d", uid, uint32(math.MaxUint32-1))
	}
	if p, err = p.ForUser(uint32(uid)); err != nil {
		return nil, command.Usagef("--uid: %w", err)
	}
	return p, nil
}

// maxPolicy is more than any policy has, in bytes.
const maxPolicy = 1 << 20

// readPolicy reads a ready policy or a file. File says which it was.
func readPolicy(c *cli.Context, name string) (content []byte, file bool, err error) {
	p, err := readyPolicy(c, name)
	if err == nil {
		return p.Content, false, nil
	}
	if !errors.Is(err, ready.ErrUnknown) {
		return nil, false, err
	}
	if c.IsSet("uid") {
		return nil, false, command.Usagef("--uid is for ready policies, not for a file")
	}
	content, err = regular.ReadFile(name, 0, maxPolicy)
	if errors.Is(err, os.ErrNotExist) && !strings.Contains(name, "/") {
		err = command.WithHint(err, "the ready policies are: setup_ima_digest_lists policy list")
	}
	return content, true, err
}

func kernelFlags() []cli.Flag {
	return []cli.Flag{
		rootFlag(),
		&cli.StringFlag{Name: "kernel", Usage: "for a kernel of that `VERSION`, not the running one"},
		&cli.BoolFlag{Name: "lists", Usage: "with --kernel: it has digest lists"},
	}
}

// kernelOf returns the kernel that a policy is to be for.
func kernelOf(c *cli.Context) (*imapolicy.Kernel, error) {
	if c.IsSet("kernel") {
		version, err := imapolicy.ParseVersion(c.String("kernel"))
		if err != nil {
			return nil, command.Usagef("--kernel: %w", err)
		}
		return &imapolicy.Kernel{Version: version, DigestLists: c.Bool("lists")}, nil
	}
	if c.Bool("lists") {
		return nil, command.Usagef("--lists needs --kernel")
	}
	k, err := imapolicy.Running(c.String("root"))
	return k, command.WithHint(err, "say which kernel it is for with --kernel VERSION")
}

func policyCheck() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "find what a kernel would refuse",
		UsageText: "setup_ima_digest_lists policy check POLICY... [--kernel VERSION [--lists]]",
		Description: "Prints each fault as POLICY:LINE:COLUMN: what and why, at most one for a line. The exit\n" +
			"code is 1 if there is one.",
		Flags: append(kernelFlags(), userFlag()),
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return command.Usagef("no policy to check")
			}
			kernel, err := kernelOf(c)
			if err != nil {
				return err
			}
			good := true
			for _, name := range c.Args().Slice() {
				content, _, err := readPolicy(c, name)
				if err != nil {
					return err
				}
				_, err = imapolicy.Parse(content, kernel)
				good = printFaults(c, name, err) && good
			}
			if !good {
				return command.Failed()
			}
			return nil
		},
	}
}

// printFaults prints what is wrong with a policy, and reports whether nothing is.
func printFaults(c *cli.Context, name string, err error) bool {
	var faults imapolicy.Faults
	errors.As(err, &faults)
	for _, f := range faults {
		fmt.Fprintf(c.App.Writer, "%s:%v\n", name, f)
	}
	return faults == nil
}
