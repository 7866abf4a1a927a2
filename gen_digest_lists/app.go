package main

import (
	"digestlists/internal/command"
	"digestlists/parsers/plugin"

	"github.com/urfave/cli/v2"
)

const description = `Makes digest lists from what the system has, in the digest list directory.

Examples:
   gen_digest_lists -f rpm+db -t file -o append
   gen_digest_lists -f rpm+pkg -i PKG.rpm -t file -o append
   gen_digest_lists -f compact -i /usr/local/bin -t file -m immutable -o append
   gen_digest_lists -f copy -i CERT.der -t key -o append
   gen_digest_lists -f rpm+db -t metadata -i f:compact -i i: -i l: -o append
   gen_digest_lists -o sign -k KEY.pem -i LIST
   gen_digest_lists -o remove -t file -p 3
   gen_digest_lists -f rpm+db -t file --sync

An -i value whose second character is a colon is an option of the format:
   I:PATH  input file or directory       L:FILE  file of input paths, one a line
   M:      that file has records         G:      print the paths, list nothing
   e:      only executables              F:PATH  prefix to include even if not executable
   E:PATH  prefix to exclude             u:      name the list after the L: file
   D:DIR   lists already known (unknown) p:NAME  only packages whose name starts so
   f:FMT   convert rpm lists to compact or compact_tlv; tlv: lists of the
           Integrity Digest Cache, also of files
   i:      digests of contents too, in lists of type metadata
   l:      the labels that files have    l:policy  those of the SELinux policy
   r:      all files belong to root      U:FILE g:FILE  users and groups
   x:      set security.ima of the files x:evm  security.evm
Any such option, -T, -I or -A makes the call one of the 0.3.9x generation.`

func newApp() *command.App {
	app := command.New("gen_digest_lists", "make, sign and remove IMA digest lists")
	app.UsageText = "gen_digest_lists -f FORMAT -t TYPE -o OPERATION [-i INPUT]... [options]"
	app.Description = description
	app.Flags = append(append(listFlags(), signFlags()...), runFlags()...)
	app.Action = run
	return app
}

func listFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dir", Aliases: []string{"d"}, Value: "/etc/ima/digest_lists", Usage: "digest list `DIR`ectory"},
		&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Usage: "source of the list, a `FORMAT` of --list-formats"},
		&cli.StringSliceFlag{Name: "input", Aliases: []string{"i"}, Usage: "input `PATH`, or LETTER:VALUE; may be repeated"},
		&cli.StringFlag{Name: "operation", Aliases: []string{"o"}, Usage: "`OP`eration: add, append, remove or sign"},
		&cli.IntFlag{Name: "position", Aliases: []string{"p"}, Value: -1, Usage: "`N`umber of the list in the directory, -1 for none"},
		&cli.StringFlag{Name: "type", Aliases: []string{"t"}, Usage: "list `TYPE`: key, parser, file or metadata"},
		&cli.BoolFlag{Name: "tlv", Aliases: []string{"T"}, Usage: "write compact_tlv: digests with paths, owners and attributes"},
		&cli.StringFlag{Name: "modifiers", Aliases: []string{"m"}, Usage: "`MODIFIERS` of the digests: immutable"},
		&cli.StringFlag{Name: "algorithm", Aliases: []string{"a"}, Value: "sha256", Usage: "digest `ALGORITHM`, also of signatures"},
		&cli.StringFlag{Name: "ima-algorithm", Aliases: []string{"I"}, Value: "sha256", Usage: "the system's ima_hash `ALGORITHM`"},
		&cli.StringFlag{Name: "root", Aliases: []string{"A"}, Usage: "alternative root `DIR`; paths in lists are relative to it"},
		&cli.StringFlag{Name: "db", Usage: "RPM database `PATH`, a file or directory"},
		&cli.BoolFlag{Name: "checksum-algorithm", Usage: "with -f ascii: all checksums are of the -a algorithm"},
	}
}

func signFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "sign", Aliases: []string{"s"}, Usage: "sign the lists that are made"},
		&cli.StringFlag{Name: "key", Aliases: []string{"k"}, Usage: "private `KEY` (PEM: PKCS#1, PKCS#8, SEC 1)"},
		&cli.StringFlag{Name: "cert", Usage: "certificate `CERT` of the key (PEM or DER)"},
		&cli.StringFlag{
			Name: "password", Aliases: []string{"w"},
			Usage: "`PASSWORD` of the key; - prompts. Others can see it in the process list: prefer --password-file or " + passwordVariable,
		},
		&cli.StringFlag{Name: "password-file", Usage: "`FILE` with the password of the key on its only line"},
		&cli.StringFlag{Name: "sign-cmd", Usage: "shell `COMMAND` that signs: digest on standard input, signature on standard output; needs --cert"},
		&cli.BoolFlag{Name: "detached", Usage: "write signatures to DIR.sig/ instead of security.ima"},
		&cli.BoolFlag{Name: "appended", Usage: "append signatures to the lists (PKCS#7); needs --cert"},
	}
}

func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{
			Name: "sync", Value: new(syncMode), DefaultText: "off",
			Usage: "make the directory follow the database; `=add` only adds lists, =prune only drops them",
		},
		&cli.BoolFlag{Name: "json", Usage: "report what was done as JSON"},
		&cli.BoolFlag{Name: "dry-run", Usage: "report what would be done and change nothing"},
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Usage: "`N`umber of workers", DefaultText: "one for each processor"},
		&cli.StringFlag{Name: "plugin-dir", Value: plugin.DefaultDir, Usage: "`DIR`ectory of generator-NAME and parser-NAME"},
		&cli.BoolFlag{Name: "list-formats", Usage: "print the formats that can be made and exit"},
	}
}
