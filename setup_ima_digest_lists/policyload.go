package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"digestlists/compact"
	"digestlists/internal/command"
	"digestlists/internal/imapolicy"
	"digestlists/internal/imasig"
	"digestlists/internal/known"
	"digestlists/internal/listdir"
	"digestlists/internal/lockout"
	"digestlists/internal/preflight"
	"digestlists/internal/regular"
	"digestlists/internal/securityfs"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func policyLoad() *cli.Command {
	return &cli.Command{
		Name:      "load",
		Usage:     "put a policy in force in the running kernel",
		UsageText: "setup_ima_digest_lists policy load POLICY [options]",
		Description: "The policy is checked first. One with which root could not run any more what runs now is\n" +
			"refused, unless the kernel only logs (ima_appraise=log) or --force is given.",
		Flags: []cli.Flag{
			userFlag(),
			&cli.BoolFlag{Name: "by-path", Usage: "let the kernel read the file itself, and check its signature if it demands one"},
			&cli.BoolFlag{Name: "force", Usage: "load it even if it locks root out"},
			&cli.BoolFlag{Name: "dry-run", Usage: "check it, and do not load it"},
			&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory whose files are known to the kernel"},
			&cli.StringFlag{Name: "cert", Value: preflight.DefaultCert, Usage: "`FILE` with the certificate that files are signed with"},
			&cli.StringFlag{Name: "hash", Value: "sha256", Usage: "`ALGORITHM` with which the kernel hashes files"},
		},
		Action: loadPolicy,
	}
}

func loadPolicy(c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("arguments %q, want one policy", c.Args().Slice())
	}
	name := c.Args().First()
	content, file, err := readPolicy(c, name)
	if err != nil {
		return err
	}
	if c.Bool("by-path") && !file {
		return command.Usagef("--by-path: %s is a ready policy, want a file", name)
	}
	kernel, err := imapolicy.Running("")
	if err != nil {
		return err
	}
	policy, err := imapolicy.Parse(content, kernel)
	if !printFaults(c, name, err) {
		return command.Failed()
	}
	if c.Bool("by-path") && policy.Open {
		return command.WithCode(command.ExitFailed, fmt.Errorf("%s: the last line has no end: the kernel refuses it by its path", name))
	}
	if !c.Bool("force") {
		if err := refuseLockout(c, policy, kernel); err != nil {
			return err
		}
	}
	if c.Bool("dry-run") {
		return nil
	}
	return putInForce(c, name, content)
}

func putInForce(c *cli.Context, name string, content []byte) error {
	var err error
	if c.Bool("by-path") {
		if name, err = filepath.Abs(name); err == nil {
			err = securityfs.LoadPolicyFile(securityfs.MountPoint, name)
		}
	} else {
		err = securityfs.LoadPolicy(securityfs.MountPoint, content)
	}
	if errors.Is(err, unix.EACCES) && !c.Bool("by-path") {
		err = command.WithHint(err, "sign the file, and load it with --by-path")
	}
	return err
}

// shown is how many files that would be refused are printed.
const shown = 5

// refuseLockout returns an error if root could not go on with a policy.
func refuseLockout(c *cli.Context, policy *imapolicy.Policy, kernel *imapolicy.Kernel) error {
	line, err := securityfs.ReadCommandLine(securityfs.ProcMountPoint)
	if err != nil {
		return fmt.Errorf("whether the kernel enforces is not known: %w", err)
	}
	if !line.Enforces() {
		return nil
	}
	trust, err := readTrust(c, kernel)
	if err != nil {
		return err
	}
	files, err := lockout.Running(securityfs.ProcMountPoint)
	if err != nil {
		return err
	}
	refused := lockout.Check(policy, files, trust)
	if len(refused) == 0 {
		return nil
	}
	for _, r := range refused[:min(shown, len(refused))] {
		fmt.Fprintln(c.App.Writer, r)
	}
	return command.WithHint(command.WithCode(command.ExitFailed,
		fmt.Errorf("%d of %d files that root runs now would be refused", len(refused), len(files))),
		"sign them or put them in lists, or boot with ima_appraise=log and see; --force loads the policy all the same")
}

// readTrust reads what files pass by.
func readTrust(c *cli.Context, kernel *imapolicy.Kernel) (*lockout.Trust, error) {
	trust := &lockout.Trust{Now: time.Now()}
	var err error
	if trust.Algorithm, err = compact.ParseAlgorithm(c.String("hash")); err != nil {
		return nil, command.Usagef("--hash: %w", err)
	}
	if trust.Keys, err = trustedKeys(c); err != nil {
		return nil, err
	}
	if kernel.DigestLists {
		trust.Known, err = known.Read(c.String("dir"))
		if errors.Is(err, fs.ErrNotExist) && !c.IsSet("dir") {
			trust.Known, err = known.Set{}, nil
		}
	}
	return trust, err
}

// trustedKeys returns nil where there is no certificate, and none was asked for.
func trustedKeys(c *cli.Context) (*imasig.Keyring, error) {
	path := c.String("cert")
	cert, err := regular.ReadFile(path, 0, maxCertificate)
	if errors.Is(err, fs.ErrNotExist) && !c.IsSet("cert") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	keys := new(imasig.Keyring)
	return keys, keys.AddCertificate(cert, path)
}
