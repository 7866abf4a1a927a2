package main

import (
	"slices"
	"strings"
)

// fish makes one line for each thing that can be given.
func fish(root *node) string {
	text := origin(root) + "complete -c " + root.tool + " -f\n"
	for _, n := range root.all() {
		at := fishAt(n, root)
		for _, sub := range n.nodes {
			text += fishLine(n, at, " -a "+sub.name(), sub.summary)
		}
		if n.files {
			text += fishLine(n, at, " -F", "")
		}
		first := append(append([]string{}, at...), fishNone(names(n.arguments)))
		for _, w := range n.arguments {
			text += fishLine(n, first, " -a "+quote(w.name), w.text)
		}
		for _, o := range n.options {
			text += fishOption(n, at, o)
		}
	}
	return text
}

// fishAt returns the conditions that hold where a line is at a command. fish tells
// which words a line has, not in which order: a command is not meant where its name
// is that of one below another command, which the line has, too.
func fishAt(n, root *node) []string {
	var conditions, others []string
	for _, other := range root.nodes {
		below := func(sub *node) bool { return len(n.words) > 0 && sub.name() == n.words[0] }
		if slices.ContainsFunc(other.nodes, below) && !slices.Contains(n.words, other.name()) {
			others = append(others, other.name())
		}
	}
	if len(others) > 0 {
		conditions = append(conditions, fishNone(others))
	}
	for _, name := range n.words {
		conditions = append(conditions, "__fish_seen_subcommand_from "+name)
	}
	if len(n.nodes) > 0 {
		var below []string
		for _, sub := range n.nodes {
			below = append(below, sub.name())
		}
		conditions = append(conditions, fishNone(below))
	}
	return conditions
}

func fishNone(words []string) string {
	return "not __fish_seen_subcommand_from " + strings.Join(words, " ")
}

func fishLine(n *node, conditions []string, what, text string) string {
	line := "complete -c " + n.tool
	if len(conditions) > 0 {
		line += " -n " + quote(strings.Join(conditions, "; and "))
	}
	line += what
	if text != "" {
		line += " -d " + fishQuote(text)
	}
	return line + "\n"
}

func fishOption(n *node, at []string, o option) string {
	what := " -l " + strings.TrimPrefix(o.Long, "--")
	if o.Short != "" {
		what = " -s " + strings.TrimPrefix(o.Short, "-") + what
	}
	if o.attached {
		text := fishLine(n, at, what, o.Text)
		at = append(append([]string{}, at...), `string match -q -- "-*" (commandline -ct)`)
		for _, c := range o.choices {
			text += fishLine(n, at, " -a "+o.Long+"="+c.name, o.Text)
		}
		return text
	}
	switch o.takes {
	case anything:
		what += " -x"
	case aFile:
		what += " -r -F"
	case aFolder:
		what += " -x -a '(__fish_complete_directories)'"
	case aWord:
		what += " -x -a " + fishQuote(fishWords(o.choices))
	}
	return fishLine(n, at, what, o.Text)
}

// fishWords is a list of words, with their texts if they have any.
func fishWords(words []word) string {
	if !described(words) {
		return strings.Join(names(words), " ")
	}
	items := make([]string, len(words))
	for i, w := range words {
		items[i] = w.name + `\t` + fishQuote(w.text)
	}
	return strings.Join(items, " ")
}

// fishQuote quotes for fish, in whose single quotes a backslash counts.
func fishQuote(text string) string {
	return "'" + escape(text, `\'`) + "'"
}
