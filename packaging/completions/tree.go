package main

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"digestlists/internal/helptext"
)

// A node is a tool or one of its commands, as completions see it.
type node struct {
	tool      string
	words     []string // of the command
	summary   string
	options   []option
	arguments []word // what its first argument may be
	files     bool   // it takes files
	nodes     []*node
}

// An option has a long name, perhaps a letter, and perhaps a value.
type option struct {
	helptext.Option
	takes    kind
	choices  []word
	attached bool // its value, if it has one, follows after =
}

// A kind is what the value of an option may be.
type kind int

const (
	nothing  kind = iota // it is a switch
	anything             // nobody can tell
	aWord                // one of choices
	aFile
	aFolder
)

// A word is one of those that can be given somewhere, and what it is for.
type word struct{ name, text string }

var (
	note     = regexp.MustCompile(` \([^)]*\)`)
	more     = regexp.MustCompile(`;.*`)
	listed   = regexp.MustCompile(`: ((?:[a-z0-9-]+, )*(?:[a-z0-9-]+ or )?[a-z0-9-]+)$`)
	between  = regexp.MustCompile(`, | or `)
	fromTool = regexp.MustCompile(` of (--list-[a-z]+)$`)
	suffix   = regexp.MustCompile(`=([a-z]+) `)
	row      = regexp.MustCompile(`^ {0,3}([a-z][a-z-]+)(?: [A-Z|]+)* {2,}(\S.*)$`)
	anyOf    = regexp.MustCompile(`^[a-z-]+(\|[a-z-]+)+$`)
	operand  = regexp.MustCompile(`^[A-Z]{2,}(\.\.\.|…)?$`)
)

// newTree makes the tree of a tool from its help.
func newTree(program, tool string, help *helptext.Command) (*node, error) {
	n := &node{tool: tool, words: help.Words, summary: help.Summary}
	for _, o := range help.Options {
		made, err := newOption(program, o, help.Description)
		if err != nil {
			return nil, err
		}
		n.options = append(n.options, made)
	}
	for _, c := range help.Commands {
		sub, err := newTree(program, tool, c)
		if err != nil {
			return nil, err
		}
		n.nodes = append(n.nodes, sub)
	}
	n.readUsage(help)
	return n, n.nameListed(program)
}

func newOption(program string, o helptext.Option, description []string) (option, error) {
	text := strings.TrimSpace(more.ReplaceAllString(note.ReplaceAllString(o.Text, ""), ""))
	made := option{Option: o, takes: anything}
	made.Text = text
	if found := suffix.FindAllStringSubmatch(o.Text, -1); found != nil && o.Value != "" {
		made.attached, made.takes = true, nothing
		for _, m := range found {
			made.choices = append(made.choices, word{name: m[1]})
		}
		return made, nil
	}
	switch o.Value {
	case "":
		made.takes = nothing
		return made, nil
	case "DIR", "DIRS", "DIR|-":
		made.takes = aFolder
		return made, nil
	case "FILE", "PATH", "KEY", "CERT", "value":
		made.takes = aFile
		return made, nil
	}
	var err error
	if found := fromTool.FindStringSubmatch(text); found != nil {
		made.choices, err = printed(program, found[1])
	} else if strings.HasSuffix(text, "see above") {
		made.choices = rows(description)
	} else if found := listed.FindStringSubmatch(text); found != nil {
		for _, name := range between.Split(found[1], -1) {
			made.choices = append(made.choices, word{name: name})
		}
	}
	if made.choices != nil {
		made.takes = aWord
	}
	return made, err
}

// readUsage finds what a command takes besides options. What stands after an option is
// its value.
func (n *node) readUsage(help *helptext.Command) {
	for _, line := range help.Usage {
		before := ""
		for _, token := range strings.Fields(line) {
			token = strings.Trim(token, "[]")
			switch {
			case strings.HasPrefix(before, "-"):
			case anyOf.MatchString(token):
				n.arguments = choose(strings.Split(token, "|"), rows(help.Description))
			case token == "arguments" || operand.MatchString(token):
				n.files = len(n.nodes) == 0
			}
			before = token
		}
	}
}

// nameListed gives commands beside a command `list` what that prints.
func (n *node) nameListed(program string) error {
	if !slices.ContainsFunc(n.nodes, func(sub *node) bool { return sub.name() == "list" }) {
		return nil
	}
	names, err := printed(program, append(slices.Clone(n.words), "list")...)
	for _, sub := range n.nodes {
		if sub.files {
			sub.arguments = names
		}
	}
	return err
}

// printed returns the rows that a tool prints.
func printed(program string, args ...string) ([]word, error) {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return nil, err
	}
	var words []word
	for line := range strings.Lines(string(out)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		words = append(words, word{name, strings.TrimSpace(text)})
	}
	return words, nil
}

// rows returns the words at the beginning of lines that have another column.
func rows(lines []string) []word {
	var words []word
	for _, line := range lines {
		if found := row.FindStringSubmatch(line); found != nil {
			words = append(words, word{found[1], found[2]})
		}
	}
	return words
}

// choose returns names with the texts of the words that have any.
func choose(names []string, texts []word) []word {
	words := make([]word, len(names))
	for i, name := range names {
		words[i].name = name
		if j := slices.IndexFunc(texts, func(w word) bool { return w.name == name }); j >= 0 {
			words[i].text = texts[j].text
		}
	}
	return words
}

// all returns a node and those below it.
func (n *node) all() []*node {
	nodes := []*node{n}
	for _, sub := range n.nodes {
		nodes = append(nodes, sub.all()...)
	}
	return nodes
}

// name returns the last word of a command.
func (n *node) name() string { return n.words[len(n.words)-1] }

// forms returns an option's names.
func (o option) forms() []string {
	if o.Short == "" {
		return []string{o.Long}
	}
	return []string{o.Short, o.Long}
}

// names returns the names of words.
func names(words []word) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = w.name
	}
	return all
}

// described reports whether words have texts.
func described(words []word) bool {
	return slices.ContainsFunc(words, func(w word) bool { return w.text != "" })
}
