package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"digestlists/internal/helptext"
)

// otherNames are those that a tool has besides its own, under which it does other things.
var otherNames = map[string][]string{"setup_ima_digest_lists": {"setup_ima_digest_lists_demo"}}

// shells says for each shell how a file is made, and by which name the shell looks for it.
var shells = []struct {
	name   string
	file   func(tool string) string
	script func(*node) string
}{
	{"bash", func(tool string) string { return tool }, bash},
	{"zsh", func(tool string) string { return "_" + tool }, zsh},
	{"fish", func(tool string) string { return tool + ".fish" }, fish},
}

// write makes a folder for each shell, with files for all tools in bin.
func write(bin, out string) error {
	programs, err := filepath.Glob(filepath.Join(bin, "*_digest_lists"))
	if err != nil {
		return err
	}
	if len(programs) == 0 {
		return fmt.Errorf("%s: no tools: make build first", bin)
	}
	for _, program := range programs {
		program, err := filepath.Abs(program)
		if err != nil {
			return err
		}
		tool := filepath.Base(program)
		for _, name := range append([]string{tool}, otherNames[tool]...) {
			if err := writeTool(program, name, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeTool(program, name, out string) error {
	help, err := helptext.Read(program, name)
	if err != nil {
		return err
	}
	tree, err := newTree(program, name, help)
	if err != nil {
		return err
	}
	for _, shell := range shells {
		folder := filepath.Join(out, shell.name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, shell.file(name)), []byte(shell.script(tree)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// origin is a comment that says where a file comes from.
func origin(n *node) string { return "# Completion of " + n.tool + ", made from its --help.\n\n" }

// indent puts a tab before each line.
func indent(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t") + "\n"
}
