package main

import (
	"cmp"
	"encoding/json"
	"io"
	"path/filepath"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/preflight"
	"digestlists/internal/setup"

	"github.com/urfave/cli/v2"
)

// Steps of a set-up that nothing else does.

func gateCommand() *cli.Command {
	return &cli.Command{
		Name:  "gate",
		Usage: "whether all that ran in this boot would run with enforcing",
		Description: "Checks that this boot was one in log mode, that lists were loaded, that every file that was measured\n" +
			"is known to the lists, and that no log has a file that would not have run; and that the logs are whole since\n" +
			"boot. Nothing is changed. The exit code is 1 if it is not so, or cannot be found out.",
		Flags: []cli.Flag{
			rootFlag(),
			&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
			&cli.BoolFlag{Name: "json", Usage: "print it as JSON", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			s, err := newStep(c)
			if err != nil {
				return err
			}
			r := s.Readiness()
			if c.Bool("json") {
				err = printJSON(c.App.Writer, r)
			} else {
				err = r.Print(c.App.Writer)
			}
			if err != nil {
				return err
			}
			return command.WithCode(command.ExitFailed, r.Err())
		},
	}
}

func printJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

func initramfsCommand() *cli.Command {
	return &cli.Command{
		Name:  "initramfs",
		Usage: "make the initramfs anew, with the lists that are there now",
		Description: "Runs what makes the images here: update-initramfs, dracut, mkinitramfs or kernel-install. preflight\n" +
			"says what an image lacks.",
		Flags: []cli.Flag{
			rootFlag(),
			&cli.StringFlag{Name: "kernel", Aliases: []string{"V"}, Usage: "only for kernel `VERSION`", DefaultText: "every kernel"},
		},
		Action: func(c *cli.Context) error {
			root, err := rootToChange(c)
			if err != nil {
				return err
			}
			return rebuild(c.Context, root, c.String("kernel"), c.App.Writer)
		},
	}
}

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
			err = s.CheckLists(c.Context, c.App.Writer)
			return command.WithHint(command.WithCode(command.ExitFailed, err), cmp.Or(command.Hint(err), setup.MendLists))
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
			if err := mustBeRoot(s.Root); err != nil {
				return err
			}
			s.Key, s.PasswordFile = c.String("key"), c.String("password-file")
			return command.WithHint(s.EnableUpdates(c.Context), setup.MendUpdates)
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
