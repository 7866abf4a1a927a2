package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A prompter asks questions line by line, as a serial console takes them.
type prompter struct {
	in  *bufio.Reader
	out io.Writer
}

func newPrompter(in io.Reader, out io.Writer) *prompter { return &prompter{bufio.NewReader(in), out} }

var errNoAnswer = errors.New("no answer: the input has ended")

// line asks for a line; an empty one is the default.
func (p *prompter) line(question, standard string) (string, error) {
	if standard != "" {
		question += "[" + standard + "] "
	}
	if _, err := fmt.Fprint(p.out, question); err != nil {
		return "", err
	}
	text, err := p.in.ReadString('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			return "", errNoAnswer
		}
		return "", err
	}
	if text = strings.TrimSpace(text); text == "" {
		return standard, nil
	}
	return text, nil
}

func (p *prompter) yesNo(question string, standard bool) (bool, error) {
	choice := "no"
	if standard {
		choice = "yes"
	}
	for {
		text, err := p.line(question, choice)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(text) {
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		fmt.Fprintln(p.out, "Answer yes or no.")
	}
}

// choose asks for one of some choices by its number, and returns its index.
func (p *prompter) choose(question string, choices []string, standard int) (int, error) {
	fmt.Fprintln(p.out, question)
	for i, c := range choices {
		fmt.Fprintf(p.out, "  %d  %s\n", i+1, c)
	}
	for {
		text, err := p.line("Number: ", strconv.Itoa(standard+1))
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(choices) {
			return n - 1, nil
		}
		fmt.Fprintf(p.out, "Answer with a number from 1 to %d.\n", len(choices))
	}
}
