package main

import (
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
	return signkey.FromEnv(passwordVariable)
}
