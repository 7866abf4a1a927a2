package main

import (
	"path/filepath"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/preflight"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
)

// Two steps of a set-up that nothing else does.

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "check what a kernel would be given: signatures, form and size of the lists",
		Description: "Checks that every list is signed by the certificate and can be read, and that all fit into the\n" +
			"kernel's table, and prints how much of it they take. Nothing is changed.",
		Flags: append(stepFlags(),
			&cli.BoolFlag{Name: "metadata", Usage: "there are to be lists of type metadata, too", DisableDefaultText: true}),
		Action: func(c *cli.Context) error {
			s, err := newStep(c)
			if err != nil {
				return err
			}
			s.Metadata = c.Bool("metadata")
			if err := s.CheckLists(c.Context, c.App.Writer); err != nil {
				return command.WithCode(command.ExitFailed, err)
			}
			return nil
		},
	}
}

func updatesCommand() *cli.Command {
	return &cli.Command{
		Name:  "updates",
		Usage: "let the lists follow package updates",
		Description: "Writes /etc/ima/digest_lists.conf, unless it says update = yes already, and enables the unit\n" +
			"digestlist-update.path. New lists are signed with the key.",
		Flags: append(stepFlags(),
			&cli.StringFlag{Name: "key", Value: setup.DefaultKey, Usage: "`FILE` with the private key, in PEM"},
			&cli.StringFlag{Name: "password-file", Usage: "`FILE` with the password of the key"}),
		Action: func(c *cli.Context) error {
			s, err := newStep(c)
			if err != nil {
				return err
			}
			s.Key, s.PasswordFile = c.String("key"), c.String("password-file")
			return s.EnableUpdates(c.Context)
		},
	}
}

func stepFlags() []cli.Flag {
	return []cli.Flag{
		rootFlag(),
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
		&cli.StringFlag{Name: "cert", Value: preflight.DefaultCert, Usage: "`FILE` with the certificate that lists are signed with, in DER"},
	}
}

// newStep returns a set-up of which one step is to be done. Its files are those of the
// system, wherever the caller is.
func newStep(c *cli.Context) (*setup.Setup, error) {
	if err := command.NoArguments(c); err != nil {
		return nil, err
	}
	for _, name := range []string{"dir", "cert", "key", "password-file"} {
		if path := c.String(name); path != "" && !filepath.IsAbs(path) {
			return nil, command.Usagef("--%s %q, want a path that begins with /", name, path)
		}
	}
	root, err := absoluteRoot(c)
	return &setup.Setup{Config: setup.Config{Dir: c.String("dir"), Cert: c.String("cert")}, Root: root}, err
}
