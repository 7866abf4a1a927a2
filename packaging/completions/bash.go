package main

import (
	"fmt"
	"strings"
)

// bashHead finds which command the line is at, and the option before the word: the
// shell splits words at = and at :, too.
const bashHead = `_%[1]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local at='' option=$prev options='' arguments='' files='' word reply=()
	if [[ $cur == = ]]; then
		cur='' option+='='
	elif [[ $prev == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}=
	elif [[ $cur == : ]]; then
		cur='' option=:
	fi
%[2]s	case $at in
`

// bashCommands reads the words of commands.
const bashCommands = `	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "$at $word" in
		%s) at+=" $word" ;;
		esac
	done
`

// bashTail completes what is no value: an option, or an argument.
const bashTail = `	esac
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ " $arguments " != *" $word "* ]] || arguments=''
	done
	case "$at,$option" in
	*,:) reply=(-f) ;;
%[2]s	*)
		if [[ $cur == -* ]]; then
			reply=(-W "$options")
		else
			[[ ! $arguments ]] || reply+=(-W "$arguments")
			[[ ! $files ]] || reply+=(-f)
		fi
		;;
	esac
	[[ ${reply[*]} ]] || return 0
	[[ " ${reply[*]} " != *' -'[df]' '* ]] || compopt -o filenames
	mapfile -t COMPREPLY < <(compgen "${reply[@]}" -- "$cur")
}
complete -F _%[1]s %[1]s
`

func bash(root *node) string {
	var commands, places, values []string
	for _, n := range root.all() {
		at := bashAt(n)
		if len(n.words) > 0 {
			commands = append(commands, quote(at))
		}
		places = append(places, bashPlace(n))
		for _, o := range n.options {
			if value := bashValue(at, o); value != "" {
				values = append(values, value)
			}
		}
	}
	reader := ""
	if commands != nil {
		reader = fmt.Sprintf(bashCommands, strings.Join(commands, " | "))
	}
	return origin(root) + fmt.Sprintf(bashHead, root.tool, reader) +
		strings.Join(places, "") + fmt.Sprintf(bashTail, root.tool, strings.Join(values, ""))
}

// bashAt returns what the variable at holds at a command.
func bashAt(n *node) string {
	if len(n.words) == 0 {
		return ""
	}
	return " " + strings.Join(n.words, " ")
}

// bashPlace sets what can be given at a command.
func bashPlace(n *node) string {
	var options []string
	for _, o := range n.options {
		options = append(options, o.forms()...)
		for _, c := range o.choices {
			if o.attached {
				options = append(options, o.Long+"="+c.name)
			}
		}
	}
	arguments := names(n.arguments)
	for _, sub := range n.nodes {
		arguments = append(arguments, sub.name())
	}
	text := "options=" + quote(strings.Join(options, " "))
	if arguments != nil {
		text += " arguments=" + quote(strings.Join(arguments, " "))
	}
	if n.files {
		text += " files=yes"
	}
	return fmt.Sprintf("\t%s) %s ;;\n", quote(bashAt(n)), text)
}

// bashValue completes an option's value.
func bashValue(at string, o option) string {
	var reply string
	switch {
	case o.takes == aWord || o.attached:
		reply = "-W " + quote(strings.Join(names(o.choices), " "))
	case o.takes == aFile:
		reply = "-f"
	case o.takes == aFolder:
		reply = "-d"
	case o.takes == nothing:
		return ""
	}
	forms := []string{quote(at + "," + o.Long + "=")}
	if !o.attached {
		for _, form := range o.forms() {
			forms = append(forms, quote(at+","+form))
		}
	}
	return fmt.Sprintf("\t%s) reply=(%s) ;;\n", strings.Join(forms, " | "), reply)
}

// quote quotes for a shell of any kind.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
