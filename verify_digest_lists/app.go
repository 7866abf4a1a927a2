package main

import (
	"runtime"
	"slices"

	"digestlists/internal/command"
	"digestlists/internal/listdir"
	"digestlists/internal/progress"

	"github.com/urfave/cli/v2"
)

const description = `Checks that every list of the directory can be read and is signed: with
security.ima, a detached signature or an appended one, by a key of the key lists in
the directory or of --key and --keyring-dir; or, for rpm lists, by the vendor with a
key of --rpm-keys.

Each list that fails is one line on standard output:
   Failed to process NAME (no signature | unknown key ID | bad signature |
   malformed list | malformed signature | expired key | cannot be checked: details)

The exit code is 1 if a list fails and 5 if there was nothing to check.

With --measurements, tells instead whether a machine has run nothing but known files:
its IMA measurement list is replayed against the PCR values of a quote, and each entry
looked up in the lists and packages of --reference. The exit code is 0 for trusted, 1
for not trusted, 3 for evidence that cannot be read, and 5 if there is nothing to
compare with. With --batch, does so for every machine of a fleet. With --audit, the
files in the machine's audit log are looked up, too, or alone.`

func newApp() *command.App {
	app := command.New("verify_digest_lists", "check the signatures of IMA digest lists, or the evidence of a machine")
	app.UsageText = "verify_digest_lists [-d DIR] [-f NAME] [options]\n" +
		"verify_digest_lists --measurements FILE… [--pcrs FILE…] [--quote MSG --signature SIG --quote-pcrs FILE --ak KEY --nonce HEX] [--reference PATH…] [options]\n" +
		"verify_digest_lists --audit FILE… --reference PATH… [options]\n" +
		"verify_digest_lists --keylime-policy FILE --reference PATH… [options]\n" +
		"verify_digest_lists --batch DIR|- [--reference PATH…] [options]"
	app.Description = description
	app.Flags = append([]cli.Flag{
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: listdir.Default, Usage: "digest list `DIR`ectory"},
		&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "check the list `NAME` only"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "print the lists that are good, too"},
		&cli.StringSliceFlag{Name: "key", Usage: "`FILE` with a trusted certificate or public key (PEM or DER); may be repeated"},
		&cli.StringSliceFlag{Name: "keyring-dir", Usage: "`DIR`ectory of trusted certificates; may be repeated"},
		&cli.StringSliceFlag{Name: "rpm-keys", Usage: "`FILE` with OpenPGP keys of package vendors; may be repeated"},
		&cli.BoolFlag{Name: "no-key-lists", Usage: "do not trust the directory's key lists; check them like the others"},
		&cli.BoolFlag{Name: "json", Usage: "print the results as JSON"},
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Usage: "`N`umber of workers", DefaultText: "one for each processor"},
		&cli.StringFlag{Name: "keylime-policy", Usage: "write what --reference names to `FILE` as a runtime policy of Keylime"},
	}, slices.Concat(machineFlags(), batchFlags(), verdictFlags())...)
	app.Action = run
	return app
}

func run(c *cli.Context) error {
	if err := command.NoArguments(c); err != nil {
		return err
	}
	switch {
	case c.IsSet("keylime-policy"):
		return exportPolicy(c)
	case c.IsSet("batch"):
		return attestBatch(c)
	case c.IsSet("unquoted"):
		return command.Usagef("--unquoted is for --batch")
	case c.IsSet("measurements") || c.IsSet("audit"):
		return attestMachine(c)
	}
	if err := refuseFlags(c, slices.Concat(machineFlags(), verdictFlags()), "is for --measurements and --audit"); err != nil {
		return err
	}
	return checkLists(c)
}

func checkLists(c *cli.Context) error {
	dir, err := listdir.Open(c.String("dir"))
	if err != nil {
		return err
	}
	defer dir.Close()
	v := &verifier{path: c.String("dir"), dir: dir, jobs: c.Int("jobs")}
	if v.jobs <= 0 {
		v.jobs = runtime.GOMAXPROCS(0)
	}
	if err := v.loadKeys(c); err != nil {
		return err
	}
	lists, err := v.listsToCheck(c)
	if err != nil {
		return err
	}
	line := progress.Start(c.App.ErrWriter, "lists")
	results := v.check(lists, line)
	line.Stop()
	return report(c, append(v.badKeys, results...))
}
