package main

import (
	"errors"
	"os"

	"digestlists/internal/command"
	"digestlists/internal/signkey"

	"github.com/urfave/cli/v2"
)

// password returns where the password of the key comes from, by what the command
// line says. It is asked for only if the key is encrypted.
func password(c *cli.Context) signkey.Password {
	switch {
	case c.String("password") == "-":
		return signkey.Prompt(signkey.ControllingTerminal{}, c.String("key"))
	case c.IsSet("password"):
		return signkey.Literal(c.String("password"))
	case c.String("password-file") != "":
		return signkey.FromFile(c.String("password-file"))
	}
	return func() ([]byte, error) {
		if _, set := os.LookupEnv(passwordVariable); !set {
			return nil, command.WithHint(errors.New("the key is encrypted, and no password is given"),
				"give it with -w -, --password-file or in "+passwordVariable)
		}
		return signkey.FromEnv(passwordVariable)()
	}
}
