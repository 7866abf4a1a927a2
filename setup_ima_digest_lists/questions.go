package main

import (
	"fmt"
	"strings"

	"digestlists/internal/setup"
	"digestlists/parsers/rpmdb"
)

// questions asks for all that has no good default.
func (w *wizard) questions() error {
	for _, ask := range []func() error{w.askMode, w.askKey, w.askSources, w.askFolders, w.askRegister} {
		if err := ask(); err != nil {
			return err
		}
	}
	return w.config.Check()
}

func (w *wizard) askMode() error {
	choices := []string{
		"measure: the kernel measures what no list knows, and lets everything run",
		"log: it also says in its log what would not run",
	}
	modes := setup.Modes()[:2]
	s := &setup.Setup{Config: w.config, Root: w.root}
	if err := s.Readiness().Err(); err == nil {
		choices = append(choices, "enforce: nothing runs that no list knows")
		modes = setup.Modes()
	} else {
		fmt.Fprintf(w.out, "Enforcing is offered after a boot in log mode in which every file was known: %v\n", err)
	}
	i, err := w.ask.choose("What is the kernel to do?", choices, 1)
	if err != nil {
		return err
	}
	w.config.Mode = modes[i]
	return nil
}

func (w *wizard) askKey() (err error) {
	fmt.Fprintln(w.out, "Lists are signed. A key and a certificate that are not there are made.")
	if w.config.Key, err = w.askPath("Private key: ", w.config.Key); err != nil {
		return err
	}
	w.config.Cert, err = w.askPath("Its certificate (DER): ", w.config.Cert)
	return err
}

func (w *wizard) askSources() (err error) {
	_, missing := rpmdb.Find(setup.Under(w.root, "/"))
	if w.config.Packages = missing == nil; w.config.Packages {
		w.config.Packages, err = w.ask.yesNo("Make lists of the packages in the RPM database, and of each update? ", true)
		if err != nil {
			return err
		}
	} else {
		fmt.Fprintln(w.out, "There is no RPM database: lists are made of folders.")
	}
	w.config.PackageFiles, err = w.askPaths("Package files or folders of them, with spaces between, - for none: ", nil)
	return err
}

func (w *wizard) askFolders() (err error) {
	standard := []string{"/usr/local/bin"}
	if !w.config.Packages {
		standard = setup.Programs()
	}
	fmt.Fprintln(w.out, "Of files that no package has, lists are made by folder. Immutable files may run under appraisal, and not be written to.")
	if w.config.Immutable, err = w.askPaths("Folders with immutable files, - for none: ", standard); err != nil {
		return err
	}
	w.config.Mutable, err = w.askPaths("Folders with files that may be written to, - for none: ", nil)
	return err
}

func (w *wizard) askRegister() error {
	for {
		pcr, err := w.ask.line("TPM register for what no list knows; with a + before it, PCR 10 stays as without lists: ", w.config.PCR)
		if err != nil {
			return err
		}
		w.config.PCR = pcr
		if err = w.config.Check(); err == nil {
			return nil
		}
		fmt.Fprintln(w.out, err)
		if !strings.Contains(err.Error(), "pcr") {
			return err
		}
	}
}

func (w *wizard) askPath(question, standard string) (string, error) {
	for {
		text, err := w.ask.line(question, standard)
		if err != nil || strings.HasPrefix(text, "/") {
			return text, err
		}
		fmt.Fprintln(w.out, "Answer with a path that begins with /.")
	}
}

func (w *wizard) askPaths(question string, standard []string) ([]string, error) {
	for {
		text, err := w.ask.line(question, strings.Join(standard, " "))
		if err != nil || text == "-" || text == "" {
			return nil, err
		}
		all := strings.Fields(text)
		good := true
		for _, p := range all {
			good = good && strings.HasPrefix(p, "/")
		}
		if good {
			return all, nil
		}
		fmt.Fprintln(w.out, "Answer with paths that begin with /.")
	}
}
