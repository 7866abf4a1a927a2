package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"digestlists/internal/certificate"
	"digestlists/internal/command"
	"digestlists/internal/preflight"
	"digestlists/internal/regular"
	"digestlists/internal/setup"
	"digestlists/internal/signkey"

	"github.com/urfave/cli/v2"
)

// evmCertificate is where dracut looks for the certificate of EVM.
const evmCertificate = "/etc/keys/x509_evm.der"

func keysMake() *cli.Command {
	return &cli.Command{
		Name:      "make",
		Usage:     "make a private key (PEM) and its certificate (DER)",
		UsageText: "setup_ima_digest_lists keys make [options]",
		Description: "The certificate is signed by the key itself, or by a CA. It has what kernels ask for: it is\n" +
			"for signatures, of no CA, and states the key's identifier.",
		Flags: []cli.Flag{
			rootFlag(), forceFlag(),
			&cli.StringFlag{Name: "type", Value: "rsa-2048", Usage: "`TYPE` of the key: " + strings.Join(signkey.Kinds(), ", ")},
			&cli.StringFlag{Name: "key", Value: setup.DefaultKey, Usage: "`FILE` for the private key, which only root may read"},
			&cli.StringFlag{Name: "cert", Value: preflight.DefaultCert, Usage: "`FILE` for the certificate"},
			&cli.StringFlag{Name: "name", Value: "IMA digest lists", Usage: "`NAME` in the certificate"},
			&cli.IntFlag{Name: "days", Value: 3650, Usage: "`N` days for which the certificate is valid"},
			&cli.StringFlag{Name: "ca-key", Usage: "`FILE` with the private key of the CA; needs --ca-cert"},
			&cli.StringFlag{Name: "ca-cert", Usage: "`FILE` with the certificate of the CA"},
			&cli.StringFlag{Name: "ca-password-file", Usage: "`FILE` with the password of the CA's key on its only line", DefaultText: "asked for"},
			&cli.BoolFlag{Name: "encrypt", Usage: "encrypt the private key, with a password that is asked for or in " + passwordVariable},
			&cli.StringFlag{Name: "password-file", Usage: "with --encrypt: `FILE` with the password on its only line"},
		},
		Action: makeKey,
	}
}

func makeKey(c *cli.Context) error {
	if err := command.NoArguments(c); err != nil {
		return err
	}
	if days := c.Int("days"); days < 1 || days > 100*366 {
		return command.Usagef("--days %d, want 1 to %d", days, 100*366)
	}
	if c.String("name") == "" {
		return command.Usagef("--name is empty")
	}
	files := []newFile{{path: c.String("key"), secret: true}, {path: c.String("cert")}}
	if err := absent(c, files...); err != nil {
		return err
	}
	ca, err := readCA(c)
	if err != nil {
		return err
	}
	key, err := signkey.Generate(c.String("type"))
	if err != nil {
		return command.Usagef("--type: %w", err)
	}
	if files[1].content, err = certificate.Make(key, c.String("name"), time.Now(), c.Int("days"), ca); err != nil {
		return err
	}
	password, err := newPassword(c)
	if err != nil {
		return err
	}
	if files[0].content, err = key.MarshalPEM(password); err != nil {
		return err
	}
	return writeFiles(c, files...)
}

// readCA returns nil without --ca-key.
func readCA(c *cli.Context) (*certificate.CA, error) {
	keyFile, certFile := c.String("ca-key"), c.String("ca-cert")
	if (keyFile == "") != (certFile == "") {
		return nil, command.Usagef("--ca-key and --ca-cert go together")
	}
	if keyFile == "" {
		return nil, nil
	}
	password := signkey.Prompt(signkey.ControllingTerminal{}, keyFile)
	if file := c.String("ca-password-file"); file != "" {
		password = signkey.FromFile(file)
	}
	key, err := signkey.Load(keyFile, password)
	if err != nil {
		return nil, err
	}
	data, err := regular.ReadFile(certFile, 0, maxCertificate)
	if err != nil {
		return nil, err
	}
	cert, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", certFile, err)
	}
	ca, err := certificate.NewCA(key, cert)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", certFile, err)
	}
	return ca, nil
}

// newPassword returns nil without --encrypt.
func newPassword(c *cli.Context) ([]byte, error) {
	if !c.Bool("encrypt") {
		if c.IsSet("password-file") {
			return nil, command.Usagef("--password-file needs --encrypt")
		}
		return nil, nil
	}
	if file := c.String("password-file"); file != "" {
		return signkey.FromFile(file)()
	}
	if _, set := os.LookupEnv(passwordVariable); set {
		return signkey.FromEnv(passwordVariable)()
	}
	terminal := signkey.ControllingTerminal{}
	password, err := terminal.ReadPassword(fmt.Sprintf("New password for %s: ", c.String("key")))
	if err != nil {
		return nil, command.WithHint(err, "give the password with --password-file or in "+passwordVariable)
	}
	again, err := terminal.ReadPassword("The same again: ")
	if err != nil {
		return nil, err
	}
	if string(password) != string(again) {
		return nil, errors.New("the passwords differ")
	}
	return password, nil
}
