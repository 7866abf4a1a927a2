// Package helptext reads what a tool prints about itself with --help, and about its
// commands: for what is made from that, or compared with it.
package helptext

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// A Command is a tool, or one of its commands.
type Command struct {
	Words       []string // those after the tool's name, none for the tool itself
	Summary     string   // one line
	Usage       []string // lines
	Description []string // lines, indented as in Text beyond their common margin
	Options     []Option
	Commands    []*Command
	Text        string // all of it
}

// An Option is a line of the options.
type Option struct {
	Long     string // with its dashes
	Short    string // with its dash, or empty
	Value    string // the name of its value, or empty for a switch
	Text     string // what it does
	Repeated bool   // may be given more than once
}

var (
	title  = regexp.MustCompile(`^(GLOBAL )?([A-Z]+):$`)
	line   = regexp.MustCompile(`^(\S.*?)(?:  +(.*))?$`)
	option = regexp.MustCompile(`^(--[a-z-]+)(?: (\S+))?(?:, (-[A-Za-z])(?: \S+)?)?( \[.*)?$`)
)

// Read runs a program under a name, which some programs look at, and returns what it
// says of itself and of all its commands.
func Read(program, name string) (*Command, error) {
	return read(program, name, nil)
}

// All returns the command and all below it, in the order of the text.
func (c *Command) All() []*Command {
	all := []*Command{c}
	for _, sub := range c.Commands {
		all = append(all, sub.All()...)
	}
	return all
}

func read(program, name string, words []string) (*Command, error) {
	cmd := exec.Command(program)
	cmd.Args = slices.Concat([]string{name}, words, []string{"--help"})
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	c := &Command{Words: words, Text: string(out)}
	section := ""
	for text := range strings.Lines(c.Text) {
		text = strings.TrimRight(text, "\n")
		if found := title.FindStringSubmatch(text); found != nil {
			section = found[2]
		} else if err := c.add(program, name, section, text); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add takes one line of a section.
func (c *Command) add(program, name, section, text string) error {
	switch text = strings.TrimPrefix(text, "   "); section {
	case "NAME":
		if _, summary, ok := strings.Cut(text, " - "); ok {
			c.Summary = summary
		}
	case "USAGE":
		c.Usage = append(c.Usage, text)
	case "DESCRIPTION":
		c.Description = append(c.Description, text)
	}
	found := line.FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	switch section {
	case "COMMANDS":
		sub, err := read(program, name, append(slices.Clone(c.Words), found[1]))
		if err != nil {
			return err
		}
		c.Commands = append(c.Commands, sub)
	case "OPTIONS":
		parts := option.FindStringSubmatch(found[1])
		if parts == nil {
			return fmt.Errorf("%s: not the form of an option: %q", name, text)
		}
		c.Options = append(c.Options, Option{
			Long: parts[1], Value: parts[2], Short: parts[3], Repeated: parts[4] != "", Text: found[2],
		})
	}
	return nil
}
