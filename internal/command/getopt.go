package command

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// normalize rewrites arguments from the forms that getopt(3) takes, and scripts
// for the C tools use, to the one form that the flag library takes: `-dDIR`
// becomes `-d DIR`, `-sk KEY` becomes `-s -k KEY`, and options after a positional
// argument move before it. What it does not know it leaves for the library to
// refuse.
func normalize(flags []cli.Flag, args []string) []string {
	var options, rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		split, wantsValue := splitOption(flags, arg)
		options = append(options, split...)
		if wantsValue && i+1 < len(args) {
			i++
			options = append(options, args[i])
		}
	}
	if len(rest) == 0 {
		return options
	}
	return append(append(options, "--"), rest...)
}

// splitOption splits one argument, and reports whether the next one is its value.
func splitOption(flags []cli.Flag, arg string) (split []string, wantsValue bool) {
	if strings.HasPrefix(arg, "--") {
		name, _, attached := strings.Cut(arg[2:], "=")
		takes, _ := takesValue(flags, name)
		return []string{arg}, takes && !attached
	}
	for letters := arg[1:]; letters != ""; letters = letters[1:] {
		takes, known := takesValue(flags, letters[:1])
		if !known {
			return []string{arg}, false
		}
		split = append(split, "-"+letters[:1])
		if takes && len(letters) > 1 {
			return append(split, letters[1:]), false
		}
		if takes {
			return split, true
		}
	}
	return split, false
}

func takesValue(flags []cli.Flag, name string) (takes, known bool) {
	if name == "h" || name == "help" || name == "version" {
		return false, true
	}
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return !standsAlone(f), true
		}
	}
	return false, false
}

// standsAlone reports whether a flag never takes the next argument as its value:
// a switch, or an option whose value, if any, is attached with "=".
func standsAlone(f cli.Flag) bool {
	if g, ok := f.(*cli.GenericFlag); ok {
		b, ok := g.Value.(interface{ IsBoolFlag() bool })
		return ok && b.IsBoolFlag()
	}
	_, isBool := f.(*cli.BoolFlag)
	return isBool
}
