package main

import (
	"digestlists/internal/command"

	"github.com/urfave/cli/v2"
)

// checkMisplaced refuses options that the call would not follow although whoever
// gives them expects it: another source, other lists removed, or a signature.
func (r *request) checkMisplaced(c *cli.Context) error {
	switch r.operation {
	case opAdd, opAppend:
		if err := r.checkSource(c); err != nil {
			return err
		}
	case opRemove:
		if c.IsSet("input") || c.IsSet("format") {
			return command.Usagef("-o remove takes the list at -p, or all of -t: it knows neither -i nor -f")
		}
	case opSign:
		if c.IsSet("format") || r.letters.options {
			return command.Usagef("-o sign takes the lists that -i names, or those of -t at -p: it knows neither -f nor letters")
		}
	}
	return r.checkUnsigned(c)
}

func (r *request) checkSource(c *cli.Context) error {
	_, builtIn := sources(r).Lookup(r.format) // what a plug-in lists may be packages
	switch {
	case r.operation == opAppend && r.position >= 0:
		return command.WithHint(command.Usagef("-o append takes the next position, not %d", r.position), "-o add inserts at -p")
	case r.format == "rpm+db" && (len(r.inputs) > 0 || r.letters.pathsFile != ""):
		return command.WithHint(command.Usagef("-f rpm+db reads no -i input"),
			"--db PATH is another database than the system's, --root DIR another system")
	case c.IsSet("db") && r.format != "rpm+db":
		return command.Usagef("--db goes with -f rpm+db, not with %s", r.format)
	case len(r.letters.packages) > 0 && builtIn && !isPackageFormat(r.format):
		return command.Usagef("-i p: goes with rpm+db and rpm+pkg, not with %s", r.format)
	}
	return nil
}

// checkUnsigned refuses what is about signatures where none is made. Packages bring
// their vendor's, which --detached is about as well.
func (r *request) checkUnsigned(c *cli.Context) error {
	if r.operation == opSign || c.Bool("sign") && r.operation != opRemove {
		return nil
	}
	for _, f := range signFlags() {
		name := f.Names()[0]
		if name == "detached" && isPackageFormat(r.format) {
			continue
		}
		if c.IsSet(name) {
			return command.WithHint(command.Usagef("--%s signs nothing", name),
				"-s signs the lists that are made, -o sign those that are there")
		}
	}
	return nil
}
