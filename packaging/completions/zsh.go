package main

import (
	"fmt"
	"strings"
)

// zsh makes a function for the tool and for each of its commands.
func zsh(root *node) string {
	text := "#compdef " + root.tool + "\n" + origin(root)
	for _, n := range root.all() {
		text += fmt.Sprintf("%s() {\n%s}\n\n", zshName(n), indent(zshBody(n)))
	}
	return text + zshName(root) + ` "$@"` + "\n"
}

func zshName(n *node) string {
	return "_" + strings.Join(append([]string{n.tool}, n.words...), "_")
}

func zshBody(n *node) string {
	specs := []string{"_arguments -s"}
	if len(n.nodes) > 0 {
		specs[0] = "_arguments -C"
	}
	for _, o := range n.options {
		specs = append(specs, zshOption(o))
	}
	if len(n.nodes) == 0 {
		return strings.Join(append(specs, zshArguments(n)...), " \\\n\t") + "\n"
	}
	specs = append(specs, "'1:command:->command'", "'*::argument:->argument'")
	commands, cases := "", ""
	for _, sub := range n.nodes {
		commands += "\t" + quote(strings.ReplaceAll(sub.name(), ":", `\:`)+":"+sub.summary) + "\n"
		cases += fmt.Sprintf("\t%s) %s ;;\n", sub.name(), zshName(sub))
	}
	return "local context curcontext=$curcontext state line\ntypeset -A opt_args\n" +
		"local -a commands=(\n" + commands + ")\n" +
		strings.Join(specs, " \\\n\t") + " && return\n" +
		"case $state in\n" +
		"command) _describe command commands ;;\n" +
		"argument)\n\tcase $line[1] in\n" + cases + "\tesac\n\t;;\n" +
		"esac\n"
}

// zshOption is one specification for all names of an option.
func zshOption(o option) string {
	forms := make([]string, 0, 2)
	for _, form := range o.forms() {
		switch {
		case o.attached:
			form += "=-"
		case o.takes == nothing:
		case strings.HasPrefix(form, "--"):
			form += "="
		default:
			form += "+"
		}
		forms = append(forms, form)
	}
	rest := "[" + escape(o.Text, `[]`) + "]" + zshValue(o)
	before := ""
	switch {
	case o.Repeated:
		before = "*"
	case len(forms) > 1:
		before = "(" + strings.Join(o.forms(), " ") + ")"
	}
	if len(forms) == 1 {
		return quote(before + forms[0] + rest)
	}
	return quote(before) + "{" + strings.Join(forms, ",") + "}" + quote(rest)
}

func zshValue(o option) string {
	name := strings.ToLower(o.Value)
	switch {
	case o.attached:
		return "::" + name + ":(" + strings.Join(names(o.choices), " ") + ")"
	case o.takes == aWord:
		return ":" + name + ":" + zshWords(o.choices)
	case o.takes == aFile && strings.Contains(o.Text, "LETTER:"):
		return ":" + name + ":{ compset -P '?\\:'; _files }"
	case o.takes == aFile:
		return ":" + name + ":_files"
	case o.takes == aFolder:
		return ":" + name + ":_files -/"
	case o.takes == anything:
		return ":" + name + ": "
	}
	return ""
}

// zshArguments is what stands for itself.
func zshArguments(n *node) []string {
	var specs []string
	words := zshWords(n.arguments)
	switch {
	case n.arguments == nil:
	case n.files:
		specs = append(specs, quote(`1:argument:_alternative "words:word:`+escape(words, `\"`)+`" "files:file:_files"`))
	default:
		specs = append(specs, quote("1:argument:"+words))
	}
	if n.files {
		specs = append(specs, "'*:file:_files'")
	}
	return specs
}

// zshWords is an action that offers words, with their texts if they have any.
func zshWords(words []word) string {
	if !described(words) {
		return "(" + strings.Join(names(words), " ") + ")"
	}
	items := make([]string, len(words))
	for i, w := range words {
		items[i] = escape(w.name, ":") + `\:` + escape(w.text, ` :'"()\;`+"`")
	}
	return "((" + strings.Join(items, " ") + "))"
}

// escape puts a backslash before some characters.
func escape(text, characters string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(characters, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
