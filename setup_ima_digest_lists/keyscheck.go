package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"digestlists/internal/certificate"
	"digestlists/internal/command"
	"digestlists/internal/kernelconfig"
	"digestlists/internal/keyctl"
	"digestlists/internal/preflight"
	"digestlists/internal/regular"
	"digestlists/internal/securityfs"

	"github.com/urfave/cli/v2"
)

func keysCheck() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "tell whether a kernel takes a certificate into its keyrings",
		UsageText: "setup_ima_digest_lists keys check [CERT] [--root DIR]",
		Description: "Prints what it finds, as error or note, and why. The exit code is 1 if there is an error.\n" +
			"Without CERT it is " + preflight.DefaultCert + ". On the running system, whether the kernel trusts\n" +
			"the key that signed the certificate is asked of its keyrings.",
		Flags: []cli.Flag{rootFlag()},
		Action: func(c *cli.Context) error {
			_, err := checkedCertificate(c)
			return err
		},
	}
}

// oneCertificate reads the certificate of the only argument, or the default.
func oneCertificate(c *cli.Context) (*x509.Certificate, error) {
	if c.NArg() > 1 {
		return nil, command.Usagef("arguments %q, want one certificate", c.Args().Slice())
	}
	path := c.Args().First()
	if path == "" {
		path = filepath.Join(c.String("root"), preflight.DefaultCert)
	}
	data, err := regular.ReadFile(path, 0, maxCertificate)
	if err != nil {
		return nil, err
	}
	cert, err := certificate.Parse(data)
	if err != nil {
		return nil, command.WithCode(command.ExitFailed, fmt.Errorf("%s: %w", path, err))
	}
	return cert, nil
}

// keyKernel finds out what the kernel of a system asks for. Its keyrings can be seen
// only where it runs.
func keyKernel(root string) (*certificate.Kernel, error) {
	k := &certificate.Kernel{}
	if config, _, err := kernelconfig.Read(root, kernelconfig.Version(root)); err == nil {
		k.Config = map[string]bool{"CRYPTO_ECDSA": config["CONFIG_CRYPTO_ECDSA"] != ""}
	}
	if root != "" {
		return k, nil
	}
	var err error
	k.Trusts, err = keyctl.Trusted(securityfs.ProcMountPoint)
	return k, err
}

// checkedCertificate reads a certificate and prints what the kernel would find. What it
// does not take is an error.
func checkedCertificate(c *cli.Context) (*x509.Certificate, error) {
	cert, err := oneCertificate(c)
	if err != nil {
		return nil, err
	}
	kernel, err := keyKernel(c.String("root"))
	if err != nil {
		return nil, err
	}
	good := true
	for _, f := range certificate.Check(cert, kernel, time.Now()) {
		verdict := "note"
		if f.Bad {
			verdict, good = "error", false
		}
		fmt.Fprintf(c.App.Writer, "%-6s %s\n", verdict, f.Text)
	}
	if !good {
		return nil, command.Failed()
	}
	return cert, nil
}

func keysExport() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a certificate in DER where kernels and initramfs look for it",
		UsageText: "setup_ima_digest_lists keys export CERT [--evm] [options]",
		Description: "Writes " + preflight.DefaultCert + ", and with --evm also " + evmCertificate + ".\n" +
			"A certificate that keys check finds errors in is refused.",
		Flags: []cli.Flag{rootFlag(), forceFlag(), &cli.BoolFlag{Name: "evm", Usage: "for signatures of attributes, too"}},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return command.Usagef("arguments %q, want one certificate", c.Args().Slice())
			}
			cert, err := checkedCertificate(c)
			if err != nil {
				return err
			}
			files := []newFile{{path: preflight.DefaultCert, content: cert.Raw}}
			if c.Bool("evm") {
				files = append(files, newFile{path: evmCertificate, content: cert.Raw})
			}
			return writeFiles(c, files...)
		},
	}
}

func keysImport() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "load a certificate into the IMA keyring of the running kernel",
		UsageText: "setup_ima_digest_lists keys import [CERT]",
		Description: "The keyring is .ima, or, of kernels without that, _ima, which is made if it is missing.\n" +
			"Without CERT it is " + preflight.DefaultCert + ".",
		Action: func(c *cli.Context) error {
			cert, err := oneCertificate(c)
			if err != nil {
				return err
			}
			ring, err := securityfs.FindKeyring(securityfs.ProcMountPoint)
			if errors.Is(err, securityfs.ErrNoKeyring) {
				var made keyctl.ID
				made, err = keyctl.NewRing("_ima", keyctl.User)
				ring = securityfs.Keyring(made)
			}
			if err != nil {
				return err
			}
			return command.WithHint(ring.Add(cert.Raw), "setup_ima_digest_lists keys check says what the kernel asks for")
		},
	}
}
